"""Are the numbers of a class report right, are its groups those of the same mistake, and is its page safe?"""

import csv
import json
import tracemalloc
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from autograder.checks.conduct import BEHIND
from autograder.cli.main import main
from autograder.grading.record import CheckRecord, Diagnosis, Measured, QuestionRecord, Record
from autograder.report.analysis import analyse, discriminations, tenths
from autograder.report.class_page import document_of, page_of
from autograder.report.class_tables import write_tables
from autograder.report.entries import entries_in, items_in
from autograder.report.plots import log_histogram, scatter
from autograder.report.results import write_results
from autograder.report.signature import signature_of, unexplained
from autograder.report.tally import Entry, Item, Tally
from autograder.values.outcomes import Outcome, State
from tests.report.test_pages import EVIL, Page

ITEMS = [Item("one", "One", 4.0), Item("two", "Two", 6.0), Item("three", "Three", 2.0)]
# Of the first two questions all points or none; of the third everybody has all.
ONE = [4.0] * 6 + [0.0] * 6
TWO = [6.0] * 4 + [0.0] * 2 + [6.0] * 2 + [0.0] * 4
SIGN = Diagnosis(name="sign lost", hint="Which way is down?")


def check(outcome=Outcome.WRONG_VALUE, *, id="loss", kind="value", case="ordinary", **more):
    return CheckRecord(id=id, kind=kind, case=case, outcome=outcome, points=0.0, max_points=3.0, **more)


def question(id, points, most, *checks):
    right = CheckRecord(id="loss", kind="value", case="ordinary", outcome="passed", points=most, max_points=most)
    return QuestionRecord(id=id, points=points, max_points=most, checks=checks or (right,))


def record(student, *questions, state=State.GRADED, measured=None):
    graded = state == State.GRADED
    return Record(
        key="k" * 64, student=student, submission="s" * 64, suite="u" * 64, isolation="namespaces", device="cpu",
        state=state, points=sum(q.points for q in questions) if graded else None, max_points=12.0,
        questions=questions, measured=measured or Measured(),
    )  # fmt: skip


def the_class():
    """Twelve graded students, one whose file cannot be read, one who could not be graded."""
    records = []
    for number, (one, two) in enumerate(zip(ONE, TWO, strict=True), 1):
        failed = [check(diagnosis=SIGN)] if one == 0 and number <= 9 else [check()] if one == 0 else []
        questions = (
            question("one", one, 4.0, *failed),
            question("two", two, 6.0, *([check(Outcome.MISSING), check(Outcome.MISSING, id="dx")] if two == 0 else [])),
            question("three", 2.0, 2.0),
        )
        cost = Measured(wall_s=float(number), cpu_s=0.5, peak_mib=100.0)
        records.append(record(f"s{number:02}", *questions, measured=cost))
    records.append(record("t", state=State.UNREADABLE))
    ours = QuestionRecord(id="one", points=None, max_points=4.0, checks=(check(Outcome.NOT_GRADED),))
    records.append(record("u", ours, state=State.NOT_GRADED, measured=Measured(wall_s=3.0, cpu_s=0.5, peak_mib=100.0)))
    return records


def tally_of(records, items=ITEMS):
    tally = Tally(items)
    for each in records:
        given = {q.id: q.points for q in each.questions if q.points is not None}
        tally.add(Entry(each.student, str(each.state), each.points, given, each))
    return tally


@pytest.fixture
def folder(tmp_path):
    """What `grade` leaves, as far as a report reads it."""
    out = tmp_path / "out"
    out.mkdir()
    write_results([each.as_json() for each in the_class()], out / "results.jsonl")
    return out


def test_numbers_of_a_small_class_are_exact():
    report = analyse(tally_of(the_class()), 12.0)
    assert report.states == {"graded": 12, "unreadable": 1, "not_graded": 1}
    assert report.tenths == (0, 4, 0, 0, 0, 2, 2, 0, 0, 4)
    points = report.points
    assert (points.count, points.mean, points.lowest, points.highest) == (12, 7.0, 2.0, 12.0)
    assert (points.quarter, points.median, points.three_quarters) == (2.0, 7.0, 12.0)
    assert points.sd == pytest.approx((204 / 11) ** 0.5, rel=1e-12)
    one, two, three = report.questions
    assert [each.mean_share for each in report.questions] == [0.5, 0.5, 1.0]
    # Of one and two together: 4 have both, 4 none, 2 the first, 2 the second; phi = (4 * 4 - 2 * 2) / 36.
    assert one.discrimination == pytest.approx(1 / 3, abs=1e-12)
    assert two.discrimination == pytest.approx(1 / 3, abs=1e-12)
    assert three.discrimination is None  # everybody has the same
    assert report.complete == 12
    assert one.verdicts == {"full": 6, "part": 0, "none": 6, "no number": 2}
    assert two.outcomes == {Outcome.PASSED: 6, Outcome.MISSING: 6}  # a student once, however many checks
    assert one.outcomes == {Outcome.PASSED: 6, Outcome.WRONG_VALUE: 6, Outcome.NOT_GRADED: 1}


def test_groups_have_who_is_in_them_most_frequent_first():
    report = analyse(tally_of(the_class()), 12.0)
    assert [(key.question, key.name, who) for key, who in report.known] == [("one", "sign lost", ("s07", "s08", "s09"))]
    assert [(key.question, key.kind, who) for key, who in report.unknown] == [("one", "value", ("s10", "s11", "s12"))]


def test_cost_is_that_of_what_was_run():
    cost = analyse(tally_of(the_class()), 12.0).costs["wall_s"]
    walls = [*range(1, 13), 3.0]  # with the one that we could not grade, without the one that was not run
    assert (cost.median, cost.largest, cost.who) == (6.0, 12.0, "s12")
    assert cost.p95 == pytest.approx(np.quantile(walls, 0.95), rel=1e-12)
    assert cost.p95 == pytest.approx(11.4, rel=1e-12)


def test_discrimination_is_blank_for_a_small_class():
    table = np.array([ONE, TWO])
    assert discriminations(table) == ([pytest.approx(1 / 3), pytest.approx(1 / 3)], 12)
    assert discriminations(table[:, :9]) == ([None, None], 9)
    assert discriminations(table[:1]) == ([None], 12)  # there is nothing else to go with


def test_discrimination_leaves_out_who_has_no_number_somewhere():
    table = np.array([[*ONE, 4.0, 0.0], [*TWO, np.nan, 6.0], [np.nan] * 14])
    found, complete = discriminations(table)
    assert complete == 13
    assert found[2] is None
    assert found[0] == pytest.approx(np.corrcoef([*ONE, 0.0], [*TWO, 6.0])[0, 1], rel=1e-12)


def test_tenths_count_full_points_and_more_in_the_last():
    assert tenths(np.array([0.0, 0.999999, 1.0, 9.0, 10.0, 12.0]), 10.0) == (2, 1, 0, 0, 0, 0, 0, 0, 0, 3)
    assert tenths(np.array([0.3 - 0.1]), 1.0)[2] == 1  # 0.19999999999999998


def evidence(worst, off=35, allowed="1e-07"):
    return (
        f"loss: {off} of 35 entries differ; worst at [4, 1]: {worst}, expected 0.5; difference 0.54, allowed {allowed}"
    )


def groups(*checks):
    return list(unexplained(question("one", 0.0, 3.0, *checks)))


def test_the_same_mistake_up_to_rounding_is_one_group():
    first, second = check(evidence=evidence("0.2661489399")), check(evidence=evidence("0.2661489412", allowed="4e-05"))
    assert groups(first) == groups(second)
    assert groups(first) != groups(check(evidence=evidence("0.31")))
    assert groups(first) != groups(check(evidence=evidence("0.2661489399", off=7)))
    assert groups(first) != groups(check(evidence=evidence("0.2661489399"), case="another"))
    assert groups(first) != groups(check(Outcome.NOT_FINITE, evidence=evidence("0.2661489399")))


def test_groups_are_made_a_kind_of_check():
    found = groups(check(), check(id="dx", kind="gradient"), check(id="dw", kind="gradient"))
    assert sorted((group.kind, len(group.ends)) for group in found) == [("gradient", 2), ("value", 1)]


def test_place_in_the_own_code_makes_no_other_group():
    text = "type: ValueError, text: shapes (7,5) and (4,) not aligned"
    here, there = (f"{text}, where: <cell {n}>, source: a @ b, line: {n}" for n in (3, 9))
    assert signature_of(check(Outcome.RAISED, evidence=here)) == signature_of(check(Outcome.RAISED, evidence=there))
    assert signature_of(check(Outcome.RAISED, evidence=here)) == text


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.MISSING, Outcome.NOT_GRADED, Outcome.FORBIDDEN, "carried"])
def test_what_explains_itself_is_in_no_group(outcome):
    assert groups(check(outcome)) == []


def test_what_follows_from_something_else_is_in_no_group():
    assert groups(check(message=BEHIND)) == []
    assert groups(check(diagnosis=SIGN), check(id="law", kind="property")) == []
    (group,) = groups(check(diagnosis=SIGN), check(id="db", kind="gradient"))
    assert group.kind == "gradient"


def test_command_prints_one_document_and_writes_page_and_tables(folder, tmp_path, capsys):
    out = tmp_path / "report"
    command = ["report", "two", "--course", str(tmp_path), "--results", str(folder), "--out", str(out), "--json"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["assignment"] == "two"
    assert document["states"] == {"graded": 12, "unreadable": 1, "not_graded": 1}
    assert document["points"]["median"] == 7.0
    assert document["questions"][0]["discrimination"] == pytest.approx(1 / 3)
    assert document["misconceptions"][0]["students"] == ["s07", "s08", "s09"]
    assert document["written"] == [str(out / name) for name in ("report.html", *TABLES)]
    assert all(Path(path).is_file() for path in document["written"])
    assert {path.name for path in out.iterdir()} == {"report.html", *TABLES}


TABLES = ("students.csv", "questions.csv", "outcomes.csv", "misconceptions.csv", "unexplained.csv", "cost.csv")


def test_tables_hold_the_same_numbers_and_blanks(folder, tmp_path):
    items = items_in(folder)
    tally = Tally(items)
    for entry in entries_in(folder, items):
        tally.add(entry)
    write_tables(analyse(tally, 12.0), tally, tmp_path)
    rows = {name: list(csv.DictReader((tmp_path / name).read_text("utf-8").splitlines())) for name in TABLES}
    assert [row["points"] for row in rows["students.csv"]] == ["12"] * 4 + ["6"] * 2 + ["8"] * 2 + ["2"] * 4 + ["", ""]
    assert [row["discrimination"] for row in rows["questions.csv"]] == ["0.3333333333", "0.3333333333", ""]
    assert [(row["student"], row["count"]) for row in rows["misconceptions.csv"]] == [
        ("s07", "3"), ("s08", "3"), ("s09", "3"),
    ]  # fmt: skip
    assert {row["group"] for row in rows["unexplained.csv"]} == {"1"}
    assert rows["cost.csv"][0] == {"measure": "wall_s", "median": "6", "p95": "11.4", "largest": "12", "who": "s12"}


def test_cells_that_a_spreadsheet_would_run_are_texts(tmp_path):
    tally = tally_of([record("=1+1", question("one", 0.0, 4.0, check(diagnosis=SIGN)))], ITEMS[:1])
    write_tables(analyse(tally, 4.0), tally, tmp_path)
    for name, column in (("students.csv", "student"), ("misconceptions.csv", "student"), ("cost.csv", "who")):
        (row, *_) = csv.DictReader((tmp_path / name).read_text("utf-8").splitlines())
        assert row[column] == "'=1+1"


def page(tally, report, **links):
    return page_of(report, tally, course="A course", assignment=EVIL, source=EVIL, links=links)


def test_page_is_whole_and_whatever_a_student_controls_is_text():
    bad = question("one", 0.0, 4.0, check(evidence=EVIL), check(Outcome.RAISED, id="dx", evidence=EVIL))
    tally = tally_of([*the_class(), record(EVIL, bad)])
    text = page(tally, analyse(tally, 12.0))
    found = Page(text)
    assert not found.has("script")
    assert not found.has("img")
    assert not found.has("link")
    assert not found.has("a")
    assert not [value for _, attributes in found.tags for value in attributes.values() if value and "http:" in value]
    assert "&lt;script&gt;" in text
    assert "prefers-color-scheme: dark" in text
    assert "corrected item-total correlation" in text


def test_page_of_nobody_with_points_makes_no_number():
    tally = tally_of([record("t", state=State.UNREADABLE)])
    report = analyse(tally, 12.0)
    text = page(tally, report)
    assert "Nobody has a number yet" in text
    assert "nan" not in text
    assert json.dumps(document_of(report), allow_nan=False)
    assert report.costs == {}
    assert report.suites == 1


def test_page_says_so_where_records_are_of_several_suites():
    records = [each.model_copy(update={"suite": "v" * 64}) if each.student == "s03" else each for each in the_class()]
    tally = tally_of(records)
    assert "of 2 suites" in page(tally, analyse(tally, 12.0))
    assert "suites" not in page(tally_of(the_class()), analyse(tally_of(the_class()), 12.0))


def test_pictures_are_well_formed():
    report = analyse(tally_of(the_class()), 12.0)
    for picture in (scatter(report.questions), log_histogram([0.0, 0.013, 2.0, float("nan")], "s")):
        tree = ElementTree.fromstring(picture)
        assert tree.attrib["aria-label"]
        assert "nan" not in picture
    assert scatter(report.questions[2:]) == ""  # without a discrimination


def test_log_histogram_counts_everybody_once():
    label = ElementTree.fromstring(log_histogram([0.015, 0.02, 0.9, 1.0, 1.99, 7.0], "s")).attrib["aria-label"]
    assert label == "Submissions by s: 1 with 0.01 to 0.02 s; 1 with 0.02 to 0.05 s; 1 with 0.5 to 1 s; " + (
        "2 with 1 to 2 s; 1 with 5 to 10 s"
    )


def test_log_histogram_of_equal_values_has_empty_columns_beside_it():
    edges = [t.text for t in ElementTree.fromstring(log_histogram([0.44, 0.45], "s")).iter("text")]
    assert edges == ["2", "0.05", "0.1", "0.2", "0.5", "1", "2"]
    assert "2 with 0.2 to 0.5 s" in log_histogram([0.44, 0.45], "s")


def test_memory_is_that_of_the_numbers(tmp_path):
    """A record of a hundred kilobytes leaves less than one of them."""
    path = tmp_path / "results.jsonl"
    long = "x" * 50_000
    with path.open("w", encoding="utf-8") as file:
        for number in range(300):
            failed = check(evidence=f"{number % 3}", message=long), check(id="dx", evidence="e", message=long)
            each = record(f"s{number}", question("one", 0.0, 4.0, *failed), measured=Measured(wall_s=1.0))
            file.write(each.model_dump_json() + "\n")
    items = items_in(path)
    tracemalloc.start()
    try:
        tally = Tally(items)
        for entry in entries_in(path, items):
            tally.add(entry)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 300 * 1000
    assert most < 5_000_000  # of thirty megabytes


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--results", "nowhere"], "name the --out folder of `autograder grade`"),
        (["--results", "x", "--gradebook", "sqlite:///g.db"], "give one of them"),
        ([], "is not a course"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistake_of_the_caller_is_one_sentence(arguments, word, tmp_path, capsys):
    assert main(["report", "one", "--course", str(tmp_path), *arguments]) == 2
    said = capsys.readouterr()
    assert word in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_results_of_another_assignment_are_refused(folder, new_course, capsys):
    assert main(["report", "softmax", "--course", str(new_course.dir), "--results", str(folder)]) == 2
    assert "a question 'one', which the assignment does not have" in capsys.readouterr().err


def test_line_that_is_no_record_is_named(folder, tmp_path, capsys):
    with (folder / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"student": "of another version"}\n')
    assert main(["report", "x", "--course", str(tmp_path), "--results", str(folder)]) == 2
    assert "line 15" in capsys.readouterr().err
