"""What is another on a GPU? Measured there, with the very suite that grades on the processor.

Inputs and expected values stay what they are. The reference is run on the card, and where it is further off there than
right implementations are among themselves, so much more is allowed to answers from the card. The bars of trainers are
set from runs on the card. Without these measurements, or on another card, nothing is graded on it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograder.checks.plan import Plan
from autograder.course.errors import CourseError
from autograder.course.key import load_key
from autograder.course.load import Assignment, Course, Question
from autograder.sandbox.accelerator import CUDA, PROCESSOR, Accelerator
from autograder.suite.bars import FOLDER, Bars, bars_of, kept_bars, provenance_of_bars
from autograder.suite.cores import told_where
from autograder.suite.draw import draw_runs, suite_seed, with_device
from autograder.suite.expect import LOOSEST, SPREAD
from autograder.suite.right import IN_FLOAT32, REFERENCE, right_implementations, show
from autograder.suite.runs import differing
from autograder.suite.store import Suite, replace_file
from autograder.topic.kinds import Failure, Observed
from autograder.topic.parts import TopicError
from autograder.values.compare import Expectation, Leaf, compare, norm
from autograder.values.outcomes import Outcome

Factors = dict[str, dict[str, float]]  # case -> block -> how many times as much is allowed on the card
_NEAREST = 2.0  # a misconception must stay so many times further off than is allowed on the card


@dataclass(frozen=True)
class OnDevice:
    """The plans of the questions that are asked on a card, by question. digest: of what was measured there; "" where
    nothing is."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    digest: str = ""


def asks_for_device(assignment: Assignment) -> tuple[Question, ...]:
    """The questions that ask for a GPU."""
    return tuple(question for question in assignment.questions if question.device != PROCESSOR)


def measure_on(
    course: Course,
    assignment: Assignment,
    suite: Suite,
    card: Accelerator,
    *,
    anew: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Measure on this machine's card what its questions need, in this process; what was found, as JSON takes it.

    Raises CourseError where the reference is too far off on it, or does not train steadily.
    """
    asked, told = asks_for_device(assignment), []
    for number, question in enumerate(asked, start=1):
        plan, proof = _of_question(suite, question)
        with told_where(course, question.id):
            factors = _factors(plan, proof, card)
            _write(course, assignment, question, plan, card, factors)
            bars = bars_of(course, assignment.id, question.id, plan.topic.on_device(), anew=anew, card=card)
        largest = max((each for blocks in factors.values() for each in blocks.values()), default=1.0)
        told.append({"question": question.id, "device": card.name, "parity": largest, "bars": bars.told})
        report(f"{number}/{len(asked)} {question.id} on {card.name}")
    return told


def on_device(course: Course, assignment: Assignment, suite: Suite, card: Accelerator) -> OnDevice:
    """The plans of all questions that ask for a GPU, as they are put to it. CourseError where something that they need
    was not measured on such a card."""
    plans, measured = {}, []
    for question in asks_for_device(assignment):
        plan, _ = _of_question(suite, question)
        topic = plan.topic.on_device()
        factors = _kept(course, assignment, question, plan, card)
        bars = kept_bars(course, assignment.id, question.id, topic, card)
        if factors is None or bars is None:
            raise CourseError(
                f"{question.id} was never measured on {card.name} with this reference and these libraries; run "
                f"`autograder compile {assignment.id} --calibrate --device cuda` on this machine"
            )
        plans[question.id] = _placed(course, assignment, plan, card, factors, bars)
        measured.append([question.id, factors, bars.bar and bars.bar.log_loss, bars.mark and bars.mark.everything])
    digest = hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest()[:16] if plans else ""
    return OnDevice(plans, digest)


def _of_question(suite: Suite, question: Question) -> tuple[Plan, Mapping[str, Any]]:
    return next(
        (plan, proof) for plan, proof in zip(suite.plans, suite.proof, strict=True) if plan.question == question.id
    )


def _placed(
    course: Course, assignment: Assignment, plan: Plan, card: Accelerator, factors: Factors, bars: Bars
) -> Plan:
    """The same draw on the card: what is allowed there, the larger runs, and their bars."""
    topic = plan.topic.on_device()
    runs = draw_runs(topic, suite_seed(load_key(course), assignment.id, plan.question))
    return replace(
        plan,
        topic=topic,
        cases={name: with_device(topic, case, card.torch) for name, case in plan.cases.items()},
        runs=tuple(with_device(topic, run, card.torch) for run in runs),
        expectations={
            case: {block: _widened(each, factors[case][block]) for block, each in blocks.items()}
            for case, blocks in plan.expectations.items()
        },
        bar=bars.bar,
        mark=bars.mark,
    )


def _factors(plan: Plan, proof: Mapping[str, Any], card: Accelerator) -> Factors:
    """How many times as much must be allowed on the card, measured on the reference in both precisions.

    On the processor, where a tenth of what is allowed was measured, all are 1.
    """
    cases = {name: with_device(plan.topic, case, card.torch) for name, case in plan.cases.items()}
    right = right_implementations(plan.topic)
    references = [name for name in right if name in (REFERENCE, IN_FLOAT32)]  # alternatives may know of no device
    shown = {name: show(plan.topic, right[name], cases.values()) for name in references}
    factors: Factors = {}
    for case, blocks in plan.expectations.items():
        factors[case] = {}
        for block, expectation in blocks.items():
            held = {REFERENCE: expectation, IN_FLOAT32: _coarse(expectation)}
            ratios = [_ratio(held[name], each[case], block, name, case) for name, each in shown.items()]
            factors[case][block] = max(1.0, SPREAD * max(ratios))
            _must_stay_sharp(expectation, factors[case][block], f"{block} on {case!r}", proof, card)
    return factors


def _ratio(expectation: Expectation, observed: Observed, block: str, name: str, case: str) -> float:
    found = observed[block]
    if isinstance(found, Failure):
        said = f"{found.answer.detail.get('type', found.outcome)}: {found.answer.detail.get('text', '')}"
        raise TopicError(f"the {name} failed on the card, on {case!r}: {said}")
    comparison = compare(actual=found, expected=expectation, what=block)
    if comparison.outcome not in (Outcome.PASSED, Outcome.WRONG_VALUE):
        raise TopicError(f"the {name} shows something else on the card, on {case!r}: {comparison.message}")
    return comparison.ratio if comparison.ratio == comparison.ratio else 0.0  # nan: too small to decide anything


def _must_stay_sharp(
    expectation: Expectation, factor: float, where: str, proof: Mapping[str, Any], card: Accelerator
) -> None:
    """TopicError where so much would be allowed that a mistake could pass."""
    margins = [kill["margin"] for kill in proof["kills"] if isinstance(kill["margin"], int | float)]
    loosest = max(
        (
            float((leaf.allowed64 * factor).max()) / max(float(norm(leaf.value)), 1e-300)
            for leaf in expectation.leaves.values()
            if leaf.deciding and leaf.value.dtype.kind == "f"
        ),
        default=0.0,
    )
    if factor > 1 and (loosest > LOOSEST or factor * _NEAREST > min(margins, default=float("inf"))):
        raise TopicError(
            f"{where}: on {card.name} the reference is {factor / SPREAD:.3g} times as far off as is allowed, so that a "
            "misconception could pass; compute in double precision there, or ask this question on the processor"
        )


def _coarse(expectation: Expectation) -> Expectation:
    """With what is allowed to answers in single precision."""
    leaves = {key: replace(leaf, allowed64=leaf.allowed32) for key, leaf in expectation.leaves.items()}
    return replace(expectation, leaves=leaves)


def _widened(expectation: Expectation, factor: float) -> Expectation:
    def wider(leaf: Leaf) -> Leaf:
        return replace(leaf, allowed64=leaf.allowed64 * factor, allowed32=leaf.allowed32 * factor)

    if factor == 1:
        return expectation
    return replace(expectation, leaves={key: wider(leaf) for key, leaf in expectation.leaves.items()})


def _path(course: Course, assignment: Assignment, question: Question, card: Accelerator) -> Path:
    return course.dir / ".autograder" / FOLDER / assignment.id / f"{question.id}.parity.{CUDA}.json"


def _write(
    course: Course, assignment: Assignment, question: Question, plan: Plan, card: Accelerator, factors: Factors
) -> None:
    path = _path(course, assignment, question, card)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"provenance": provenance_of_bars(course, plan.topic, card), "factors": factors}
    replace_file(path, (json.dumps(document, indent=1) + "\n").encode())


def _kept(course: Course, assignment: Assignment, question: Question, plan: Plan, card: Accelerator) -> Factors | None:
    """What was measured, if on such a card and with the same; None where it was not."""
    try:
        kept = json.loads(_path(course, assignment, question, card).read_text(encoding="utf-8"))
        factors: Factors = kept["factors"]
        known = {case: set(blocks) for case, blocks in plan.expectations.items()}
        fits = not differing(kept["provenance"], provenance_of_bars(course, plan.topic, card))
        same = known == {case: set(blocks) for case, blocks in factors.items()}
    except (FileNotFoundError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return factors if fits and same else None
