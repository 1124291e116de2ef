"""What of a question, a check or a text of our own stands on a page?

Plain values for the templates. Of a hidden check a student sees no case and no evidence.
"""

import inspect
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from autograder.course.load import Question
from autograder.grading.examples import source_of as example_source
from autograder.grading.record import CheckRecord, ExampleRecord, QuestionRecord
from autograder.notebook.read import Cell
from autograder.report import wording
from autograder.report.pictures import heat_map
from autograder.topic.declare import Topic
from autograder.values.outcomes import Outcome

PLACE = re.compile(r"cell (\d+), line (\d+)")
_AT_PLACE = re.compile(r" at cell \d+, line \d+")
_AROUND = 1  # lines shown before and after the one that is meant
_MOST_CHARACTERS = 200  # of a line that is shown


@dataclass(frozen=True)
class Asked:
    """What is the same for every student: what a question asks for."""

    id: str
    title: str
    lecture: str
    summary: str
    signatures: tuple[str, ...]
    topic: Topic


def asked(question: Question, topic: Topic) -> Asked:
    summary = (inspect.getdoc(topic.main) or "").partition("\n")[0]
    return Asked(question.id, title(question), topic.lecture, summary, tuple(_signatures(topic)), topic)


def title(question: Question) -> str:
    text = question.title or question.id.replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]


def _signatures(topic: Topic) -> Iterable[str]:
    """What the student must define, each as it is called and what it returns."""
    gradients = ", ".join(block.name for block in topic.blocks if block.kind == "gradient")
    for number, (name, definition) in enumerate(topic.reference.items()):
        if topic.is_class:
            yield f"class {name}"
            continue
        returns = gradients if topic.kind == "layer" and number else ", ".join(topic.returns)
        yield f"{name}({', '.join(inspect.signature(definition).parameters)}) → {returns}"


def tone(points: float | None, most: float) -> str:
    if points is None:
        return "wait"
    return "good" if points >= most else "part" if points > 0 else "bad"


def check_row(check: CheckRecord, cells: Sequence[Cell]) -> dict[str, Any]:
    """What a student sees of a check: no case, no evidence; a place only where the notebook has it."""
    rows = excerpt(check.message, cells)
    message = check.message if rows else _AT_PLACE.sub("", check.message)
    passed = check.outcome == Outcome.PASSED and check.points >= check.max_points  # not held back by its group
    return {
        "what": [_what(check)],
        "label": wording.label_of(check),
        "tone": "good" if passed else "wait" if check.outcome == Outcome.NOT_GRADED else tone(check.points, math.inf),
        "points": check.points,
        "max_points": check.max_points,
        "message": message,
        "rows": rows,
    }


def together(checks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Checks of which the same is said, as one: an exception in one line costs several blocks."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for check in checks:
        key = (check["label"], check["message"] if check["tone"] != "good" else "")
        if key not in merged:
            merged[key] = check
            continue
        same = merged[key]
        blocks = {block for _, block in same["what"] if block}
        same["what"] += [(kind, block) for kind, block in check["what"] if block not in blocks]
        same["points"] += check["points"]
        same["max_points"] += check["max_points"]
        same["tone"] = "good" if check["tone"] == same["tone"] == "good" else same["tone"]
    return list(merged.values())


def private_row(check: CheckRecord, cells: Sequence[Cell]) -> dict[str, Any]:
    seen = check_row(check, cells)
    return check.model_dump(mode="json") | {"tone": seen["tone"], "rows": seen["rows"]}


def _what(check: CheckRecord) -> tuple[str, str]:
    """What a check judges, in words, and the name of the output, if it is one. A case is not named."""
    block = wording.block_of(check)
    special = "special cases of the " if wording.is_edge(check) else ""
    if check.kind in ("value", "gradient", "law"):
        return f"{special}{check.kind}", block
    kind = "law" if check.kind == "property" else check.kind
    return (kind, "") if block == check.kind else (f"{special}{kind}: {block}", "")


def diagnoses(question: QuestionRecord) -> list[dict[str, Any]]:
    """Each misconception once, with the blocks that show it where others fail for another reason."""
    found: dict[str, dict[str, Any]] = {}
    failed = [check for check in question.checks if check.outcome != Outcome.PASSED]
    for check in failed:
        if check.diagnosis:
            blank = {"name": check.diagnosis.name, "hint": check.diagnosis.hint, "blocks": []}
            entry = found.setdefault(check.diagnosis.name, blank)
            if (block := wording.block_of(check)) not in entry["blocks"]:
                entry["blocks"].append(block)
    if len(found) == 1 and all(check.diagnosis for check in failed):
        next(iter(found.values()))["blocks"] = []
    return list(found.values())


def example_row(record: ExampleRecord, topic: Topic) -> dict[str, Any]:
    """A public example with its source; where it failed, the line, the words, and a picture of the numbers."""
    example = next(each for each in topic.examples if each.name == record.name)
    first, lines = example_source(example)
    rows = [_code_row(number, text, first + number - 1 == record.line) for number, text in enumerate(lines, 1)]
    caption = ""
    if record.difference is not None:
        caption = f"Allowed: a difference of {record.difference.within:g}."
        shape = record.difference.shape
        if len(record.difference.actual) <= 48:
            caption = f"Above: what you return; below: what is expected. {caption}"
        if len(shape) == 1:
            caption += " The entries of a vector stand in one row."
    return {
        "name": f"{record.name} ({example.lecture})" if example.lecture else record.name,
        "passed": record.outcome == Outcome.PASSED,
        "rows": rows,
        "message": record.message,
        "picture": Markup(heat_map(record.difference)) if record.difference else "",
        "caption": caption,
    }


def excerpt(text: str, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """The line of the student's own code that a text names, with its neighbours; [] where there is none."""
    found = PLACE.search(text)
    if not found:
        return []
    number, line = int(found[1]), int(found[2])
    source = next((cell.source for cell in cells if cell.number == number), None)
    lines = source.splitlines() if source is not None else []
    if not 1 <= line <= len(lines):
        return []
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    return [_code_row(each, lines[each - 1], each == line) for each in range(first, last + 1)]


def _code_row(number: int, text: str, here: bool) -> dict[str, Any]:
    return {"number": number, "text": text[:_MOST_CHARACTERS], "here": here}
