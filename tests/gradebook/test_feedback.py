"""Do feedback and reports made from a gradebook say what holds in it?"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.cli.main import main
from autograder.course.load import Course, load_assignment
from autograder.gradebook.database import Gradebook
from autograder.gradebook.feed import Feed, enrol, start_term
from autograder.report.analysis import analyse
from autograder.report.entries import entries_of, items_of
from autograder.report.tally import Tally
from tests.gradebook.made import record, source

BY_TA = ("--author", "ta", "--reason", "looked at it")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def fed(book: Gradebook, course: Course) -> None:
    """Three who were graded, and one who handed in nothing."""
    start_term(book, course.policy)
    feed = Feed(book, "softmax")
    for student, points in {"ada": 10.0, "bob": 0.0, "李雷": 4.0}.items():
        handed_in = source(student, f"# {student}\ndef softmax(logits):\n    return logits")
        feed.keep(handed_in, record(handed_in, points))
    with book.writing() as connection:
        enrol(connection, {"zoe": "Zoe"})


def on(book: Gradebook, course: Course, *command: str) -> None:
    url = book.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    assert main([*command, "--course", str(course.dir), "--gradebook", url]) == 0


def test_report_of_a_gradebook_is_of_what_holds(book: Gradebook, new_course: Course) -> None:
    fed(book, new_course)
    on(book, new_course, "gradebook", "override", "bob", "softmax/softmax", "8", *BY_TA)
    tally = Tally(items_of(load_assignment(new_course, "softmax"), manual=True))
    with book.reading() as connection:
        for entry in entries_of(connection, new_course, "softmax", now=NOW):
            tally.add(entry)
    report = analyse(tally, 10.0)
    assert tally.students == ["ada", "bob", "zoe", "李雷"]
    assert report.states["graded"] == 3
    assert report.points is not None
    assert report.points.mean == pytest.approx(22 / 3)
    assert report.questions[0].mean_share == pytest.approx(22 / 30)
    assert report.questions[0].outcomes == {"passed": 1, "wrong_value": 2}  # the tests' words stay
    assert [len(who) for _, who in report.unknown] == [2]


def test_report_command_reads_the_gradebook(
    book: Gradebook, new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fed(book, new_course)
    capsys.readouterr()
    on(book, new_course, "report", "softmax", "--out", str(tmp_path / "report"), "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["states"] == {"graded": 3, "missing": 1}
    assert document["points"]["highest"] == 10
    assert "李雷" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_feedback_has_what_people_decided(
    book: Gradebook, new_course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fed(book, new_course)
    on(book, new_course, "gradebook", "override", "bob", "softmax/softmax", "8", *BY_TA)
    on(book, new_course, "gradebook", "comment", "bob", "softmax", "Right after all.", *BY_TA)
    on(book, new_course, "gradebook", "excuse", "zoe", "softmax", *BY_TA)
    assert main(["compile", "softmax", "--course", str(new_course.dir)]) == 0
    out = tmp_path / "out"
    on(book, new_course, "gradebook", "feedback", "softmax", "--out", str(out))
    page = (out / "feedback" / "bob.html").read_text(encoding="utf-8")
    assert "<b>8</b> <span>of 10 points</span>" in page
    assert "Right after all." in page
    assert "looked at it" not in page
    assert "looked at it" in (out / "ta" / "bob.html").read_text(encoding="utf-8")
    assert {path.name for path in (out / "feedback").iterdir()} == {"ada.html", "bob.html", "李雷.html"}
    capsys.readouterr()
    table = tmp_path / "class.csv"
    assert main(["export", "csv", "--grades", str(out), "--out", str(table)]) == 0
    rows = dict(line.split(",", 1) for line in table.read_text(encoding="utf-8").splitlines())
    assert rows["bob"].endswith(",graded,8.0,10.0")
    assert ",excused,," in rows["zoe"]
    assert main(["export", "gradescope", "--grades", str(out), "--out", str(tmp_path / "r.json")]) == 2
