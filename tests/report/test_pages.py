"""Are the pages whole, safe to open, and right about what they say?"""

import html
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from autograder.course.load import Assignment, Course, Limits, Question
from autograder.grading.record import (
    CheckRecord,
    Curve,
    Diagnosis,
    Difference,
    ExampleRecord,
    ManualRecord,
    Measured,
    Note,
    QuestionRecord,
    Record,
)  # fmt: skip
from autograder.notebook.find import find
from autograder.notebook.read import read
from autograder.notebook.submission import Cell
from autograder.report import wording
from autograder.report.pages import Handed, Pages, write_pages
from autograder.report.pictures import heat_map, histogram, loss_curve
from autograder.values.outcomes import Outcome, State
from tests.checks.topics import make_scale, make_square

EVIL = "<script>alert('x')</script>\"><img src=http://evil/x onerror=alert(1)>&amp;"
VOID = {"meta", "img", "br", "rect", "line", "circle", "polygon", "polyline"}


class Page(HTMLParser):
    """What a page is made of; fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def has(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def make_pages(tmp_path, manual=()):
    course = Course("A course", {"numpy": ("numpy",)}, tmp_path / "key", tmp_path)
    square = make_square()

    @square.worked("the square of 1 and 2", lecture="000: Squares")
    def _():
        loss, dx = square([1.0, 2.0])
        # a comment between
        close(loss, 2.5)
        close(dx, [1.0, 2.0])

    questions = (Question(id="square", topic="square", points=6.0), Question(id="scale-it", topic="scale", points=4.0))
    assignment = Assignment("one", "One", None, questions, Limits(), tmp_path, tuple(manual))
    return Pages(course, assignment, {"square": square, "scale-it": make_scale()})


def check(outcome=Outcome.PASSED, *, id="loss", kind="value", **more):
    points = 3.0 if outcome == Outcome.PASSED else 0.0
    return CheckRecord(id=id, kind=kind, case="a hidden case", outcome=outcome, points=points, max_points=3.0, **more)


def make_record(*checks, student="eve", state=State.GRADED, notes=(), examples=(), curve=None, manual=(), points=None):
    got = sum(each.points for each in checks)
    question = QuestionRecord(id="square", points=got, max_points=6.0, checks=checks, examples=examples, curve=curve)
    graded = state == State.GRADED
    return Record(
        key="k" * 64, student=student, submission="s" * 64, suite="u" * 64, isolation="namespaces", device="cpu",
        state=state, points=(got if points is None else points) if graded else None, max_points=10.0,
        questions=(question,) if graded else (), notes=notes, manual=manual, measured=Measured(wall_s=0.25),
    )  # fmt: skip


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_words_and_a_next_step(tmp_path, outcome):
    assert wording.LABELS[outcome]
    record = make_record(check(outcome, message="A sentence."), check(id="dx", kind="gradient"))
    said = wording.said_of(record.questions[0], ("square",))
    assert bool(said.step) == (outcome != Outcome.PASSED)
    page = html.unescape(make_pages(tmp_path).student(record, Handed()))
    if outcome != Outcome.PASSED:
        assert said.sentence in page
        assert said.step in page
        assert wording.LABELS[outcome] in page


def test_pages_hold_no_resource_of_elsewhere_and_no_script(tmp_path):
    pages, record = make_pages(tmp_path), make_record(check(), check(Outcome.WRONG_VALUE, id="dx", kind="gradient"))
    for text in (pages.student(record, Handed()), pages.teacher(record, Handed(), "eve.html")):
        page = Page(text)
        assert not page.has("script")
        assert not page.has("link")
        assert not [value for _, attributes in page.tags for value in attributes.values() if value and "//" in value]
        assert "url(" not in text
        assert "width=device-width" in text
        assert "prefers-color-scheme: dark" in text
        assert "@media print" in text


@pytest.mark.parametrize("student", [EVIL, "javascript:alert(1)", "a b/c"])
def test_whatever_a_student_controls_is_text(tmp_path, student):
    bad = check(Outcome.RAISED, message=f"calling square raised ValueError at cell 1, line 1. {EVIL}", evidence=EVIL)
    example = ExampleRecord(name="the square of 1 and 2", outcome=Outcome.RAISED, line=4, message=EVIL)
    notes = (Note(cell=1, kind="raised", text=f"cell 1, line 1: {EVIL}", private=EVIL),)
    record = make_record(bad, student=student, examples=(example,), notes=notes)
    handed = Handed((Cell(1, f"raise {EVIL}"),))
    pages = make_pages(tmp_path)
    texts = [pages.student(record, handed), pages.teacher(record, handed, "x.html")]
    texts.append(pages.index([record], {student: "x.html"}))
    for text in texts:
        page = Page(text)
        assert len(page.has("script")) == text.count('<script>"use strict"')
        assert not page.has("img")
        assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
        assert not [
            a["href"]
            for a in page.has("a")
            if not re.match(r"(#q-|#notes|index\.html|x\.html|\.\./feedback/x\.html)", a["href"])
        ]


def test_student_page_shows_the_line_of_their_own_code(tmp_path):
    cells = (Cell(1, "x = 1"), Cell(3, "def square(x):\n    y = x[99]\n    return y"))
    failed = check(
        Outcome.RAISED, message="calling square raised IndexError at cell 3, line 2.", evidence="text: secret"
    )
    text = make_pages(tmp_path).student(make_record(failed), Handed(cells))
    assert "raised IndexError at cell 3, line 2." in text
    assert '<span class="row here"><i>2</i>    y = x[99]</span>' in text
    assert "secret" not in text
    assert "a hidden case" not in text


def test_student_page_shows_no_place_that_the_notebook_does_not_have(tmp_path):
    failed = check(Outcome.RAISED, message="calling square raised IndexError at cell 12, line 3456.")
    text = make_pages(tmp_path).student(make_record(failed), Handed((Cell(3, "x = 1"),)))
    assert "raised IndexError." in text
    assert "3456" not in text


def test_checks_of_which_the_same_is_said_are_one_line(tmp_path):
    message = "calling square raised IndexError."
    failed = [
        check(Outcome.RAISED, id=name, kind=kind, message=message)
        for name, kind in (("loss", "value"), ("dx", "gradient"))
    ]
    text = make_pages(tmp_path).student(make_record(*failed), Handed())
    assert text.count(message) == 1
    assert "0 of 6" in text


def test_diagnosis_is_named_with_its_hint_and_for_staff_with_its_edit(tmp_path):
    pages = make_pages(tmp_path)
    misconception = next(m for m in make_square().misconceptions if m.edits)
    named = Diagnosis(name=misconception.name, hint=misconception.hint)
    record = make_record(check(), check(Outcome.WRONG_VALUE, id="dx", kind="gradient", diagnosis=named))
    student, teacher = pages.student(record, Handed()), pages.teacher(record, Handed(), "eve.html")
    for text in (student, teacher):
        assert misconception.name in text
    new = misconception.edits[0][1]
    assert f"+ {new}" in teacher
    assert f"+ {new}" not in student


def test_public_example_shows_its_line_and_a_picture(tmp_path):
    difference = Difference(line=6, shape=(2,), actual=(2.0, None), expected=(1.0, 2.0), within=1e-6)
    example = ExampleRecord(
        name="the square of 1 and 2", outcome=Outcome.WRONG_VALUE, line=6, message="m", difference=difference
    )  # fmt: skip
    text = make_pages(tmp_path).student(make_record(check(Outcome.WRONG_VALUE), examples=(example,)), Handed())
    assert "# a comment between" in text
    assert re.search(r'row here"><i>4</i>close\(dx', text)
    assert '<svg class="heat"' in text
    assert "Begin with the public example" in text


@pytest.mark.parametrize("state", [State.UNREADABLE, State.NOT_GRADED])
def test_pages_without_a_grade_say_so_and_show_no_number(tmp_path, state):
    record = make_record(
        state=state, notes=(Note(cell=None, kind=str(state), text="The file is empty.", private="why"),)
    )
    text = make_pages(tmp_path).student(record, Handed())
    assert "of 10 points" not in text
    assert ("could not be read" if state == State.UNREADABLE else "The fault is ours") in text
    assert "why" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).replace("why ", "")


def test_manual_part_is_pending_and_in_no_number(tmp_path):
    part = Question(id="essay", points=15.0, manual=True, prompt="Why does it learn?", title="In your words")
    record = make_record(check(), check(id="dx"), manual=(ManualRecord(id="essay", max_points=15.0),))
    pages = make_pages(tmp_path, [part])
    text = pages.student(record, Handed())
    assert "of 10 points so far" in text
    assert "15 more points" in text
    assert "A person grades this part." in text
    assert "no cell" in pages.teacher(record, Handed(), "eve.html").lower()
    assert "In your words (15)" in pages.index([record], {"eve": "eve.html"})


def test_index_has_a_row_a_student_and_groups_what_failed(tmp_path):
    named = Diagnosis(name="sign lost", hint="h")
    records = [
        make_record(check(), check(id="dx"), student="ada"),
        make_record(check(Outcome.WRONG_VALUE, diagnosis=named), student="bob"),
        make_record(check(Outcome.RAISED), student="<eve>"),
        make_record(student="kim", state=State.UNREADABLE),
    ]
    text = make_pages(tmp_path).index(records, {r.student: f"{n}.html" for n, r in enumerate(records)})
    page = Page(text)
    assert "4 submissions: 3 graded, 1 unreadable, 0 not graded" in text
    assert text.index("sign lost") < text.index("an exception")
    assert {a["href"] for a in page.has("a")} >= {"0.html", "1.html", "2.html", "3.html", "1.html#q-square"}
    assert "&lt;eve&gt;" in text


def test_write_pages_leaves_those_of_this_grading_and_no_others(tmp_path, notebook):
    handed_in, out = tmp_path / "class", tmp_path / "out"
    handed_in.mkdir()
    (handed_in / "eve.ipynb").write_bytes(notebook("x = 1", "y = x / 0"))
    (source,) = find([handed_in / "eve.ipynb"])
    (out / "feedback").mkdir(parents=True)
    (out / "feedback" / "gone.html").write_text("old", encoding="utf-8")
    failed = check(Outcome.RAISED, message="calling square raised ZeroDivisionError at cell 2, line 1.")
    graded = make_record(failed).model_copy(update={"submission": read(source).digest})
    write_pages(make_pages(tmp_path), [graded], [source], out)
    assert [path.name for path in (out / "feedback").iterdir()] == ["eve.html"]
    assert sorted(path.name for path in (out / "ta").iterdir()) == ["eve.html", "index.html"]
    assert "y = x / 0" in (out / "feedback" / "eve.html").read_text(encoding="utf-8")
    (handed_in / "eve.ipynb").write_bytes(notebook("x = 1", "y = 'handed in after grading'"))
    write_pages(make_pages(tmp_path), [graded], [source], out)
    assert "handed in after" not in (out / "feedback" / "eve.html").read_text(encoding="utf-8")


HEAT = Difference(line=1, shape=(2, 3), actual=(1, 2, None, 4, 5.5, 60), expected=(1, 2, 3, 4, 5, 6), within=1e-6)
LARGE = Difference(line=1, shape=(20, 30), actual=(0.0,) * 600, expected=(0.0,) * 600, within=1e-6)
CURVE = Curve(epochs=(1, 30, 60), loss=(0.7, None, 0.4), low=(0.3, 0.1, 0.01), high=(0.5, 0.2, 0.03))


@pytest.mark.parametrize(
    "picture",
    [heat_map(HEAT), heat_map(LARGE), loss_curve(CURVE), histogram([0, 5, 9.99, 10, 100], 100.0)],
    ids=["heat map", "large heat map", "curve", "histogram"],
)
def test_picture_is_well_formed_and_has_words(picture):
    tree = ElementTree.fromstring(picture)
    assert tree.tag == "svg"
    assert tree.attrib["aria-label"]
    assert "nan" not in picture


def test_heat_map_is_the_redder_the_larger_the_error():
    levels = re.findall(r'<g class="heat(\d)">', heat_map(HEAT))
    assert levels == ["0", "0", "5", "0", "3", "5"]


def test_histogram_counts_everybody_once():
    assert re.findall(r"<title>(\d+) with (\d+) to (\d+)", histogram([0, 5, 9.99, 10, 100, 95], 100.0)) == [
        ("3", "0", "10"), ("1", "10", "20"), ("2", "90", "100"),
    ]  # fmt: skip
