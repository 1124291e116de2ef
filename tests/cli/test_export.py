"""Does `export` end as it says, with a document, a list or a file?"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from autograder.cli.main import main, parser
from autograder.report.results import write_results
from tests.exchange.test_formats import CANVAS
from tests.exchange.test_results import record


@pytest.fixture
def term(tmp_path: Path) -> Path:
    """Results of four, of which one is unreadable, and Canvas' own export."""
    records = [record("jdoe", 7.5), record("lilei", 10.0), record("rroe", None, "unreadable")]
    write_results(records, tmp_path / "results.jsonl")
    (tmp_path / "roster.csv").write_bytes(CANVAS.encode())
    return tmp_path


def run(term: Path, *arguments: str, out: str = "sent.csv") -> int:
    shared = ["--grades", str(term), "--roster", str(term / "roster.csv"), "--out", str(term / out)]
    return main(["export", *arguments, *shared])


def test_export_writes_the_file_its_sidecar_and_a_document(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(term, "canvas", "--assignment-column", "HW2", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"sent": 2, "unreadable": 1, "missing": 1}
    assert document["left_out"] == [
        {"student": "Roe, Rick (rroe)", "state": "unreadable"},
        {"student": "Student, Test (5ea6)", "state": "missing"},
    ]
    assert (term / "sent.csv").read_text(encoding="utf-8").splitlines()[-1].endswith(",10")
    assert Path(document["sidecar"]).is_file()


def test_verify_ends_with_1_where_something_is_not_there(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(term, "canvas", "--assignment-column", "HW2") == 0
    sent, after = str(term / "sent.csv"), term / "after.csv"
    arrived = CANVAS.replace("91.50,3,", "91.50,7.50,").replace('Sec 1,,,,\n"Roe', 'Sec 1,,10.00,,\n"Roe')
    after.write_text(arrived, encoding="utf-8")
    assert main(["export", "--verify", sent, str(after)]) == 0
    after.write_text(arrived.replace("N/A,4,", "N/A,,"), encoding="utf-8")
    capsys.readouterr()
    assert main(["export", "--verify", sent, str(after), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document == {"column": "HW2", "right": 2, "differences": [{"student": "rroe", "sent": "4", "found": ""}]}


def test_a_refusal_is_a_list_and_exit_2(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results([record("jdoe", 7.5), record("who", 1.0), record("lilei", 10.5)], term / "results.jsonl")
    assert run(term, "canvas", "--assignment-column", "HW2", "--json") == 2
    output = capsys.readouterr()
    assert [each["kind"] for each in json.loads(output.out)["refused"]] == ["unmatched", "over maximum"]
    assert "nothing was written, 2 to be put right first" in output.err
    assert not (term / "sent.csv").exists()
    assert run(term, "canvas", "--assignment-column", "HW2", "--leave-out", "who", "--leave-out", "lilei") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a format"),
        (["canvas"], "--grades is missing"),
        (["canvas", "--grades", "."], "--out is missing"),
        (["canvas", "--grades", "nowhere", "--out", "x.csv"], "--roster is missing"),
        (["gradescope", "--grades", "nowhere", "--out", "x.json"], "does not exist"),
        (["canvas", "--verify", "a", "b"], "name a format"),
        (["--verify", "nowhere.csv", "b"], "it is written beside every export"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *arguments]) == 2
    output = capsys.readouterr().err
    assert said in output
    assert output.count("\n") == 1


@pytest.mark.parametrize(("step", "cells"), [("1", ["8", "10"]), ("0.5", ["7.5", "10"])])
def test_round_to(step: str, cells: list[str], term: Path) -> None:
    assert run(term, "canvas", "--assignment-column", "HW2", "--round-to", step) == 0
    lines = (term / "sent.csv").read_text(encoding="utf-8").splitlines()
    assert [line.rpartition(",")[2] for line in lines[2:]] == cells


def test_round_to_zero_is_refused(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(term, "canvas", "--round-to", "0")
    assert ended.value.code == 2
    assert "'0' is no number above 0" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "out"), [("csv", "t.csv"), ("parquet", "t.parquet"), ("xlsx", "t.xlsx")])
def test_tables_hold_every_student(name: str, out: str, term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(term, name, "--json", out=out) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 4
    if name == "xlsx":
        sheet = load_workbook(term / out).active
        assert [row[1].value for row in sheet.iter_rows(min_row=2)][:2] == ["Doe, Jane", "李, 雷"]


def test_gradescope_takes_one_submission(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(term, "gradescope", out="results.json") == 2
    assert "holds 3 submissions" in capsys.readouterr().err
    write_results([record("submission", 7.5)], term / "results.jsonl")
    assert run(term, "gradescope", out="results.json") == 0
    assert json.loads((term / "results.json").read_text(encoding="utf-8"))["score"] == 7.5


def test_feedback_zips(term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (term / "feedback").mkdir()
    submissions: list[dict[str, Any]] = []
    for student in ("jdoe", "lilei", "rroe"):
        (term / "feedback" / f"{student}.html").write_text("<p>", encoding="utf-8")
        submissions.append({"student": student, "lms": "canvas", "files": [f"x_{len(submissions) + 1}_9_hw.ipynb"]})
    (term / "submissions.json").write_text(json.dumps(submissions), encoding="utf-8")
    assert main(["export", "canvas-feedback", "--grades", str(term), "--out", str(term / "f.zip"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["students"] == 3
    assert main(["export", "moodle-feedback", "--grades", str(term), "--out", str(term / "g.zip")]) == 2


def test_commands_of_the_document_are_ones_that_there_are() -> None:
    document = (Path(__file__).parents[2] / "docs" / "lms.md").read_text(encoding="utf-8")
    commands = re.findall(r"(?:^    |`)autograder ((?:export|grade) [^`\n]+)", document, re.MULTILINE)
    assert len(commands) >= 9
    for command in commands:
        parser().parse_args(command.split())
