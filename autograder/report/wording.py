"""In which words is a student told how a question went, and what to do next?

Made of outcomes, of the check's own message, which holds nothing of the hidden inputs, and of what the
lecturer declared. The next step is something that can be done at a desk, with the notebook alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.checks.conduct import BEHIND
from autograder.checks.plan import MEMORY
from autograder.grading.record import CheckRecord, QuestionRecord
from autograder.values.outcomes import Outcome

LABELS = {
    Outcome.PASSED: "right",
    Outcome.WRONG_VALUE: "wrong values",
    Outcome.WRONG_SHAPE: "wrong shape",
    Outcome.WRONG_TYPE: "wrong type",
    Outcome.NOT_FINITE: "NaN or infinity",
    Outcome.BROKEN_PROPERTY: "a law is broken",
    Outcome.WRONG_DISTRIBUTION: "wrong distribution",
    Outcome.OFF_TRAJECTORY: "another path of training",
    Outcome.BELOW_BAR: "not far enough",
    Outcome.OVER_COST: "too expensive",
    Outcome.CARRIED: "right for your own forward",
    Outcome.MISSING: "not there yet",
    Outcome.RAISED: "an exception",
    Outcome.TIMED_OUT: "out of time",
    Outcome.OUT_OF_MEMORY: "out of memory",
    Outcome.CRASHED: "the process ended",
    Outcome.FORBIDDEN: "not allowed here",
    Outcome.NOT_GRADED: "not graded",
}

# What went wrong, and what to do about it; the first one that occurs is said.
_TOLD: dict[Outcome, tuple[str, str]] = {
    Outcome.MISSING: (
        "{names} is not defined, or still the stub.",
        "Write it, restart the kernel, run all cells from top to bottom, and hand in what you have saved.",
    ),
    Outcome.FORBIDDEN: (
        "It uses something that this question does not allow.",
        "The point is to do it by hand: replace that call by your own lines.",
    ),
    Outcome.TIMED_OUT: (
        "It did not end within the question's time.",
        "Call it in your notebook with a small input. If that does not end either, look at what should end each loop.",
    ),
    Outcome.OUT_OF_MEMORY: (
        "It asked for more memory than there is.",
        "Print the shape of each array on the way: one of them is far larger than its inputs.",
    ),
    Outcome.CRASHED: (
        "It ended the Python process.",
        "Take out whatever leaves the process, such as exit() or os._exit(); a function ends by return.",
    ),
    Outcome.RAISED: (
        "It ended in an exception.",
        "Call it in your notebook on arrays of your own, of several sizes, until you meet the exception at that line.",
    ),
    Outcome.WRONG_TYPE: (
        "It does not return what was agreed.",
        "Compare what it returns with the signature above: how many results, in which order, of which type.",
    ),
    Outcome.WRONG_SHAPE: (
        "A result has the wrong shape.",
        "Write the shape behind each line of your function, and find the first that is not what you expect.",
    ),
    Outcome.NOT_FINITE: (
        "A result holds NaN or infinity.",
        "Look for exp of a large number, log of zero, a division by zero, and entries that are never filled.",
    ),
    Outcome.WRONG_VALUE: (
        "The form is right, some values are not.",
        "Work a tiny example by hand, two numbers a side, and compare it with your function line by line.",
    ),
    Outcome.BROKEN_PROPERTY: (
        "The values are right where they were compared, but a law that must hold does not.",
        "Try the law in your notebook: it says which two results must agree.",
    ),
    Outcome.WRONG_DISTRIBUTION: (
        "What it draws does not follow the distribution it should.",
        "Draw some ten thousand times, and look at mean, spread and a histogram.",
    ),
    Outcome.OFF_TRAJECTORY: (
        "The training takes another path.",
        "Do the first update by hand, and compare the parameters after it.",
    ),
    Outcome.BELOW_BAR: (
        "The training ends, but it does not come far enough.",
        "Print the loss after every epoch: it should fall from the first one on.",
    ),
    Outcome.OVER_COST: (
        "It is right, but costs far more than it should.",
        "Look for a loop over entries that one array operation could replace.",
    ),
    Outcome.CARRIED: (
        "The gradient is right for your own forward, which itself is wrong.",
        "Mend the forward; then the gradient has to follow it.",
    ),
    Outcome.NOT_GRADED: (
        "This could not be graded; the fault is ours.",
        "You need not do anything: it will be graded again.",
    ),
}
_GRADIENT_STEP = (
    "Compare it with (f(x + h) - f(x - h)) / 2h for h = 1e-5, entry by entry, on an input of your own: "
    "is it off by a factor, a sign, or in some entries only?"
)
_EDGE = (
    "Right on ordinary inputs, but not in every special case.",
    "Think of what inputs may look like: very large or very small numbers, exact zeros, ties, a single example.",
)


@dataclass(frozen=True)
class Said:
    """How a question went, and the next step; `step` is empty where nothing is left to do."""

    sentence: str
    step: str = ""


def block_of(check: CheckRecord) -> str:
    """The output that a check judges. An edge's check is called `block: case`, and the case is hidden."""
    return check.id.removesuffix(f": {check.case}")


def label_of(check: CheckRecord) -> str:
    """How a check ended, in a few words."""
    return "waits for the others" if check.message == BEHIND else LABELS[check.outcome]


def is_edge(check: CheckRecord) -> bool:
    return check.id.endswith(f": {check.case}")


def failing(question: QuestionRecord) -> list[CheckRecord]:
    return [check for check in question.checks if check.outcome != Outcome.PASSED]


def said_of(question: QuestionRecord, names: Sequence[str]) -> Said:
    """The outcome of a question in a sentence, with the next step."""
    failed = failing(question)
    if question.points is None:
        return Said(*_TOLD[Outcome.NOT_GRADED])
    if not failed:
        return Said("Everything here is right.")
    if all(is_edge(check) for check in failed) and all(check.outcome not in _TOLD_ALWAYS for check in failed):
        return Said(*_EDGE)
    outcomes = {check.outcome for check in failed}
    outcome = next((known for known in _TOLD if known in outcomes), Outcome.NOT_GRADED)
    sentence, step = _TOLD[outcome]
    right = [block for block in _blocks(question) if block not in {block_of(check) for check in failed}]
    if right and outcome != Outcome.MISSING:
        sentence += f" Right: {', '.join(right)}."
    kinds = {check.kind for check in failed if check.outcome == outcome}
    if outcome == Outcome.WRONG_VALUE and kinds == {"gradient"}:
        step = _GRADIENT_STEP
    if outcome == Outcome.OVER_COST and kinds == {MEMORY}:
        step = _TOLD[Outcome.OUT_OF_MEMORY][1]
    return Said(sentence.format(names=" or ".join(names)), step)


# Outcomes that say more than that a special case is not right.
_TOLD_ALWAYS = frozenset({Outcome.MISSING, Outcome.FORBIDDEN, Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.NOT_GRADED})


def _blocks(question: QuestionRecord) -> list[str]:
    return list(dict.fromkeys(block_of(check) for check in question.checks if check.kind in ("value", "gradient")))
