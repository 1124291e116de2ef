"""Does no student's page tell a hidden input, an expected value, or what the code returned or raised on them?"""

import asyncio
import functools
import html
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.course.load import Assignment, Limits, Question, load_assignment, load_course
from autograder.course.references import load_topics
from autograder.grading.batch import grade_class
from autograder.grading.examiner import _record
from autograder.grading.record import Record
from autograder.report.pages import Handed, Pages, write_pages
from autograder.sandbox.inprocess import LocalQuestion
from autograder.sandbox.session import SandboxError
from autograder.suite.compile import compile_suite
from autograder.suite.plans import Worth, draw_plan
from autograder.suite.right import show
from autograder.values.outcomes import State
from tests.conftest import ROOT
from tests.report.secrets import Secrets

COURSE = load_course(ROOT)
TOPICS = load_topics(COURSE)
ASKED = ("softmax_cross_entropy", "mse_loss", "affine", "relu")
# The other topics take a while; a trainer's plan needs its calibration, and is in the example class below.
OTHERS = sorted(name for name, topic in TOPICS.items() if topic.training is None and name not in ASKED)
NAMES = [*ASKED, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]


@functools.cache
def plan_of(name):
    topic = TOPICS[name]
    plan = draw_plan(topic, Worth(name, 10.0, {}), np.random.SeedSequence(5))
    return replace(plan, wrong={m.name: show(topic, m.names, plan.cases.values()) for m in topic.misconceptions})


@functools.cache
def secrets_of(name):
    return Secrets([plan_of(name)])


def pages_of(plan, names):
    """The student's and the staff's page of one question, answered in this process."""
    question = _record(drive(plan, LocalQuestion(names).ask))
    asked = Question(id=plan.question, topic=plan.topic.name, points=10.0)
    assignment = Assignment("one", "One", None, (asked,), Limits(), ROOT)
    record = Record(
        key="k", student="eve", submission="s", suite="u", isolation="process", device="cpu",
        state=State.GRADED, points=question.points, max_points=10.0, questions=(question,),
    )  # fmt: skip
    pages = Pages(COURSE, assignment, {plan.question: plan.topic})
    return pages.student(record, Handed()), pages.teacher(record, Handed(), "eve.html"), question


def shown(arguments):
    return repr([np.asarray(value).tolist() for value in arguments if not callable(value)])


def raise_them(*arguments):
    raise ValueError(shown(arguments))


def raise_a_type_named_so(*arguments):
    raise type(shown(arguments)[:90], (Exception,), {})


def raise_a_module_named_so(*arguments):
    raise ModuleNotFoundError(f"No module named {shown(arguments)!r}", name=shown(arguments)[:90])


def return_them_as_keys(*arguments):
    return dict.fromkeys(shown(arguments).split(), 1.0)


def return_them_as_text(*arguments):
    return shown(arguments), shown(arguments), shown(arguments)


def return_them(*arguments):
    return arguments[0]


def return_an_object_of_a_type_named_so(*arguments):
    return type(shown(arguments)[:90], (), {})(), 0.0


def return_one_where_several_belong(*arguments):
    return type(shown(arguments)[:90], (), {})()


def return_a_size_made_of_one(*arguments):
    size = int(f"{abs(float(np.ravel(arguments[0])[0])):.5e}".partition("e")[0].replace(".", ""))
    return np.broadcast_to(0.0, size), np.broadcast_to(0.0, (size, 1))


def answering(topic, behaviour):
    """What a notebook with such functions, or with a class whose objects are made so, defines."""

    def made(self, *arguments):
        behaviour(*arguments)

    if topic.kind == "class":
        return {topic.name: type(topic.name, (), {"__init__": made, "data": 0.0, "grad": 0.0})}
    return dict.fromkeys(topic.reference, behaviour)


HOSTILE = (
    raise_them, raise_a_type_named_so, raise_a_module_named_so, return_them_as_keys, return_them_as_text,
    return_them, return_an_object_of_a_type_named_so, return_one_where_several_belong, return_a_size_made_of_one,
)  # fmt: skip


@pytest.mark.parametrize("behaviour", HOSTILE, ids=lambda behaviour: behaviour.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_student_page_holds_nothing_hidden_whatever_the_code_does_with_it(name, behaviour):
    plan = plan_of(name)
    student, _, question = pages_of(plan, answering(plan.topic, behaviour))
    assert question.points < 10
    assert secrets_of(name).found_in(student) == []
    assert not any(check.evidence and check.evidence in student for check in question.checks)
    assert not any(case in student for case in plan.cases if len(case.split()) > 2)


@pytest.mark.parametrize("name", NAMES)
def test_student_page_of_each_misconception_holds_nothing_hidden_and_its_name(name):
    plan = plan_of(name)
    for misconception in plan.topic.misconceptions:
        student, _, _ = pages_of(plan, misconception.names)
        assert secrets_of(name).found_in(student) == [], misconception.name
        named = (misconception.equivalent_to or misconception.name) in html.unescape(student)
        assert named or name not in ASKED, misconception.name  # for the others, test_diagnosis.py says it


@pytest.mark.parametrize("name", ASKED)
def test_staff_page_has_what_the_student_page_has_not(name):
    plan = plan_of(name)
    _, teacher, _ = pages_of(plan, dict.fromkeys(plan.topic.reference, raise_them))
    assert secrets_of(name).found_in(teacher)


FORMS = {
    "repr": repr,
    "str of float32": lambda value: str(np.float32(value)),
    "eight digits": lambda value: f"{value:.8f}",
    "exponent": lambda value: f"{value:.7e}",
    "percent": lambda value: f"{100 * value:.6f} %",
    "in millionths": lambda value: str(int(abs(value) * 1e9)),
    "hex": lambda value: float(value).hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_search_finds_a_number_in_each_form(form):
    value = float(plan_of("mse_loss").expectations["ordinary"]["loss"].leaves[""].value)
    assert secrets_of("mse_loss").found_in(f"<p>loss {FORMS[form](value)}</p>")


def test_search_finds_arrays_in_few_digits_bytes_and_whole_numbers():
    case = plan_of("softmax_cross_entropy").cases["ordinary"]
    logits, labels = case.inputs["logits"], case.inputs["labels"]
    search = secrets_of("softmax_cross_entropy").found_in
    assert search(np.array2string(logits, precision=3))
    assert search(f"<title>{logits.round(3).tolist()}</title>")
    assert search(logits.tobytes().hex())
    assert search(str(labels))
    assert not search("<p>8 of 12 points, 0.25 and 0.357, [1, 2, 3], line 12</p>")


# The same on real gradings, in the jail.


@pytest.fixture(scope="module")
def foundations():
    assignment = load_assignment(COURSE, "foundations")
    return assignment, compile_suite(COURSE, assignment)


def graded_pages(foundations, path, out):
    """Records, and both pages of every student, as `autograder grade` writes them."""
    assignment, suite = foundations
    try:
        graded = asyncio.run(grade_class(COURSE, assignment, suite, [path], jobs=2, examples=True))
    except* SandboxError as errors:
        pytest.skip(f"no jail on this machine: {errors.exceptions[0]}")
    topics = {plan.question: plan.topic for plan in suite.plans}
    write_pages(Pages(COURSE, assignment, topics), graded.records, graded.sources, out)
    students, staff = (
        {page.name: page.read_text(encoding="utf-8") for page in (out / place).iterdir()}
        for place in ("feedback", "ta")
    )
    return [record.as_json() for record in graded.records], students, staff


@pytest.mark.slow
def test_pages_of_the_example_class_hold_nothing_hidden(foundations, tmp_path):
    _, suite = foundations
    records, students, staff = graded_pages(foundations, ROOT / "examples" / "class", tmp_path / "out")
    secrets = Secrets(suite.plans)
    assert secrets.count > 1000
    assert len(students) == len(records) >= 40
    assert {name: found for name, page in students.items() if (found := secrets.found_in(page))} == {}
    assert sum(bool(secrets.found_in(page)) for page in staff.values()) > 10, "the search itself finds nothing"
    for record in records:
        page = next(page for name, page in students.items() if name.startswith(record["student"].replace(" ", "_")))
        private = [check["evidence"] for question in record["questions"] for check in question["checks"]]
        private += [note["private"] for note in record["notes"]]
        assert not [text for text in private if len(text) > 12 and text in page], record["student"]


STASH = """
import numpy as np, os, builtins
def told(*arguments):
    text = repr([np.asarray(a).tolist() for a in arguments if not callable(a)])
    print(text)
    builtins.stash = getattr(builtins, "stash", "") + text
    with open("stash.txt", "a") as file:
        file.write(text)
    return text
def everything():
    text = getattr(builtins, "stash", "")
    return text + (open("stash.txt").read() if os.path.exists("stash.txt") else "")
"""
# Kept in memory and in a file at every hidden call, told where words of the code itself are shown: in what
# public examples raise and return, and in an answer about places in the notebook.
TOLD_LATER = (
    STASH
    + """
def mse_loss(w, b, x, y):
    told(w, b, x, y)
    raise ValueError(everything())
def softmax_cross_entropy(logits, labels):
    before = everything()
    told(logits, labels)
    numbers = [float(word) for word in before.replace("[", " ").replace("]", " ").replace(",", " ").split()[:3]]
    return 0.0, np.array([(numbers + [0.0, 0.0, 0.0])[:3]])
def softmax(logits):
    before = everything()
    told(logits)
    raise type("E" + before[:80], (Exception,), {})
"""
)
FORGED = """
import sys, numpy as np
def softmax(logits):
    frame = sys._getframe()
    while frame:
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").endswith("worker_answer"):
                text = repr(np.asarray(logits).tolist())
                digits = "".join(c for c in text if c.isdigit())[:12]
                module.describe = lambda error: {"status": "raised", "detail": {
                    "type": text[:90], "text": text, "where": "<cell " + digits[:4] + ">", "line": int(digits[4:9]),
                    "source": text[:90], "name": text[:90], "got": text[:90]}}
        frame = frame.f_back
    raise ValueError(str(logits))
"""


@pytest.mark.slow
def test_pages_of_hostile_notebooks_hold_nothing_hidden(foundations, notebook, tmp_path):
    _, suite = foundations
    handed_in: Path = tmp_path / "class"
    handed_in.mkdir()
    (handed_in / "later.ipynb").write_bytes(notebook(TOLD_LATER))
    (handed_in / "forged.ipynb").write_bytes(notebook(FORGED))
    records, students, staff = graded_pages(foundations, handed_in, tmp_path / "out")
    secrets = Secrets(suite.plans)
    assert len(records) == len(students) == 2
    assert {name: found for name, page in students.items() if (found := secrets.found_in(page))} == {}
    assert secrets.found_in(staff["later.html"])
    later = next(record for record in records if record["student"] == "later")
    examples = {q["id"]: q["examples"] for q in later["questions"]}
    assert examples["regression"], "the public example was looked at, in a jail that knows nothing hidden"
    forged = next(record for record in records if record["student"] == "forged")
    softmax = next(q for q in forged["questions"] if q["id"] == "softmax")
    digits = "".join(c for c in softmax["checks"][0]["evidence"] if c.isdigit())[:4]
    assert f"cell {digits}" not in students["forged.html"], "a place that the notebook does not have"
