"""How does an assignment become its hidden suite?

Draw, expect, calibrate, prove, keep: a suite whose proof fails is not kept, and one whose provenance
is unchanged is not made again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path
from typing import Any

from autograder.checks.plan import Plan
from autograder.course.adopted import Adopted, adopted_digests, load_adopted
from autograder.course.errors import CourseError
from autograder.course.key import fingerprint, load_key
from autograder.course.load import Assignment, Course, Question, load_assignment, load_course
from autograder.course.references import load_topics, reference_digest, topic_of
from autograder.sandbox.isolation import USUAL, Isolation
from autograder.suite import store
from autograder.suite.adopted import Place, show_adopted
from autograder.suite.bars import bars_of, provenance_of_bars
from autograder.suite.blunt import blunt_cases
from autograder.suite.contract import misconduct
from autograder.suite.cores import Cores, told_where
from autograder.suite.draw import FEW_DRAWS, digest_of, draw_cases, draw_runs, seed_of, suite_seed
from autograder.suite.expect import expect
from autograder.suite.pairs import show_pairs
from autograder.suite.plans import Worth, costs_of, make_plan
from autograder.suite.points import ALL
from autograder.suite.prove import Proof, prove
from autograder.suite.right import show, show_right
from autograder.suite.runs import differing
from autograder.suite.sample_size import sample_size
from autograder.suite.store import Suite
from autograder.topic.declare import Topic
from autograder.topic.parts import Misconception, TopicError
from autograder.topic.sampling import Sampler
from autograder.topic.standalone import must_be_lendable
from autograder.values import codec


class ProofFailed(CourseError):
    """The suite is not right, sharp or steady; `proofs` says where."""

    def __init__(self, sentence: str, proofs: list[Proof]) -> None:
        super().__init__(sentence)
        self.proofs = proofs


def suite_folder(course: Course, assignment: str) -> Path:
    """Where the suite of an assignment is kept: beside the course, never among what students get."""
    return course.dir / ".autograder" / "suites" / assignment


def compile_suite(
    course: Course,
    assignment: Assignment,
    *,
    again: bool = False,
    isolation: Isolation = USUAL,
    report: Callable[[str], None] = lambda line: None,
) -> Suite:
    """Make, prove and keep the suite of an assignment; the kept one if nothing changed.

    report: told a line of progress a question. again: make it even if nothing changed. isolation: where the code of
    adopted misconceptions runs. Raises ProofFailed, and then keeps nothing; CourseError for a topic that cannot be
    drawn, and for code that was adopted where there is no jail, or that shows nothing.
    """
    (suite,) = compile_suites(course, [assignment], again=again, isolation=isolation, report=report)
    return suite


def compile_suites(
    course: Course,
    assignments: Sequence[Assignment],
    *,
    again: bool = False,
    isolation: Isolation = USUAL,
    report: Callable[[str], None] = lambda line: None,
) -> Iterator[Suite]:
    """The suites of several assignments, in order: the same, on cores that are shared."""
    work = partial(_question, isolation=isolation)
    current = [None if again else _kept(course, assignment) for assignment in assignments]
    with Cores([each for each, kept in zip(assignments, current, strict=True) if not kept]) as cores:
        begun = [
            (assignment, kept, iter(()) if kept else cores.begin(course, assignment, work))
            for assignment, kept in zip(assignments, current, strict=True)
        ]
        for assignment, kept, drawn in begun:
            yield kept or _keep(course, assignment, drawn, report)


def _keep(
    course: Course,
    assignment: Assignment,
    drawn: Iterable[tuple[str, tuple[bytes, Proof]]],
    report: Callable[[str], None],
) -> Suite:
    """Write the suite of which every question was drawn and proved."""
    trees, proofs = {}, []
    for number, (question, (tree, proof)) in enumerate(drawn, start=1):
        report(f"{number}/{len(assignment.questions)} {question}")
        trees[question] = codec.decode(tree)
        proofs.append(proof)
    key = load_key(course)
    faults = [f"{proof.question}: {fault}" for proof in proofs for fault in proof.faults]
    if faults:
        lines = "\n  ".join(["", *faults]) if len(faults) > 1 else f" {faults[0]}"
        raise ProofFailed(f"the suite of {assignment.id} is not written:{lines}", proofs)
    head = {"provenance": _provenance(course, assignment, key), "fingerprint": fingerprint(key)}
    store.write(suite_folder(course, assignment.id), head, trees, [proof.as_json() for proof in proofs])
    return load_suite(course, assignment)


def load_suite(course: Course, assignment: Assignment) -> Suite:
    """The kept suite. CourseError where there is none, or its course has changed since."""
    kept = _kept(course, assignment)
    if kept is None:
        raise CourseError(
            f"there is no suite of {assignment.id} that fits the reference, the assignment and the key as they "
            f"are now; run `autograder compile {assignment.id}`"
        )
    return kept


def _kept(course: Course, assignment: Assignment) -> Suite | None:
    key = load_key(course)
    found = store.read(suite_folder(course, assignment.id))
    if found is None:
        return None
    head, trees, proof, digest = found
    if head["fingerprint"] != fingerprint(key):
        raise CourseError(
            f"the suite of {assignment.id} was compiled with another key ({head['fingerprint']}); put that key "
            f"back, or remove {suite_folder(course, assignment.id)} to start anew: its grades cannot be mixed"
        )
    if head["provenance"] != _provenance(course, assignment, key):
        return None
    topics = load_topics(course)
    adopted = load_adopted(course, topics)
    plans = []
    for question in assignment.questions:
        topic = topic_of(topics, assignment, question)
        plan = _plan(course, assignment, question, topic, adopted.get(topic.name, ()), trees[question.id])
        if plan is None:
            return None
        plans.append(plan)
    return Suite(assignment.id, tuple(plans), digest, head["provenance"], head["fingerprint"], proof)


def _plan(
    course: Course,
    assignment: Assignment,
    question: Question,
    topic: Topic,
    adopted: Sequence[Adopted],
    tree: dict[str, Any],
) -> Plan | None:
    """A kept plan with its inputs drawn again; None where they would now be drawn otherwise, or its bars were measured
    with something else."""
    if tree["calibrated"] and differing(tree["calibrated"], provenance_of_bars(course, topic)):
        return None
    key = load_key(course)
    cases = draw_cases(topic, suite_seed(key, assignment.id, question.id), tree["draws"])
    runs = draw_runs(topic, suite_seed(key, assignment.id, question.id))
    if tree["cases"] != digest_of([*cases.values(), *runs]):
        return None
    expectations = store.expectations_from(tree)
    bar, mark = store.bar_from(tree), store.mark_from(tree)
    worth, draws = _worth(question), tree["draws"]
    costs = costs_of(topic, worth, seed_of(key, assignment.id, question.id, "cost"))
    plan = make_plan(topic, worth, cases, expectations, bar=bar, mark=mark, runs=runs, draws=draws, costs=costs)
    return replace(plan, adopted=_named(adopted), wrong=store.wrong_from(tree), pairs=store.pairs_from(tree))


def _named(adopted: Sequence[Adopted]) -> tuple[Misconception, ...]:
    """As misconceptions without code: none of it is ever in this process."""
    return tuple(Misconception(each.name, each.hint, {}) for each in adopted)


def plan_of(course_dir: Path, assignment_id: str, question_id: str) -> Plan:
    """The kept plan of one question; CourseError where the suite is not there."""
    course = load_course(course_dir)
    assignment = load_assignment(course, assignment_id)
    question = next(each for each in assignment.questions if each.id == question_id)
    found = store.read(suite_folder(course, assignment_id))
    topics = load_topics(course)
    topic = topic_of(topics, assignment, question)
    adopted = load_adopted(course, topics).get(topic.name, ())
    plan = _plan(course, assignment, question, topic, adopted, found[1][question_id]) if found else None
    if plan is None:
        raise CourseError(
            f"the suite of {assignment_id} has changed meanwhile; run `autograder compile {assignment_id}`"
        )
    return plan


def _question(course_dir: Path, assignment_id: str, question_id: str, *, isolation: Isolation) -> tuple[bytes, Proof]:
    """Draw and prove one question: the tree to keep, as codec bytes, and its proof."""
    course = load_course(course_dir)
    assignment = load_assignment(course, assignment_id)
    key = load_key(course)
    question = next(each for each in assignment.questions if each.id == question_id)
    topics = load_topics(course)
    topic = topic_of(topics, assignment, question)
    with told_where(course, question.id):
        for used in assignment.questions:
            if used.id in question.uses:
                must_be_lendable(topic_of(topics, assignment, used))
        adopted = load_adopted(course, topics).get(topic.name, ())  # a file that does not fit is told of at once
        plan, calibrated = _draw(course, assignment, question, topic)
        shown = show_adopted(Place(course, assignment, question, isolation), plan, adopted)
        wrong = plan.wrong | {name: result.sheet.seen for name, result in shown.items()}
        plan = replace(plan, adopted=_named(adopted), wrong=wrong)
        proof = prove(plan, _worth(question), _fresh(key, assignment, question), shown)
        proof.calibrated = calibrated
    provenance = provenance_of_bars(course, topic) if calibrated else {}
    return codec.encode(store.plan_tree(plan, digest_of([*plan.cases.values(), *plan.runs]), provenance)), proof


def _draw(
    course: Course, assignment: Assignment, question: Question, topic: Topic
) -> tuple[Plan, list[dict[str, Any]]]:
    """The plan of a question without what is adopted, and what its bars were set from."""
    key = load_key(course)
    seed = suite_seed(key, assignment.id, question.id)
    draws = FEW_DRAWS
    if isinstance(topic, Sampler):
        draws = sample_size(topic, seed_of(key, assignment.id, question.id, "draws"))
    cases = draw_cases(topic, seed, draws)
    again = draw_cases(topic, suite_seed(key, assignment.id, question.id), draws)
    if digest_of(cases.values()) != digest_of(again.values()):
        raise TopicError(f"{topic.name}: its cases are others each time they are drawn; draw from their argument alone")
    bars = bars_of(course, assignment.id, question.id, topic)
    runs = draw_runs(topic, suite_seed(key, assignment.id, question.id))
    try:
        expectations = expect(topic, cases, show_right(topic, cases))
        worth = _worth(question)
        costs = costs_of(topic, worth, seed_of(key, assignment.id, question.id, "cost"))
        plan = make_plan(
            topic, worth, cases, expectations, bar=bars.bar, mark=bars.mark, runs=runs, draws=draws, costs=costs
        )
    except TopicError as error:  # of which blunt cases, or a reference that changes its inputs, may be the cause
        raise TopicError("; ".join([str(error), *blunt_cases(topic, cases), *misconduct(topic, cases)])) from error
    wrong = {m.name: show(topic, m.names, cases.values()) for m in topic.misconceptions}
    plan = replace(plan, wrong=wrong)
    return replace(plan, pairs=show_pairs(plan)), bars.told


def _fresh(key: bytes, assignment: Assignment, question: Question) -> Callable[[int], Any]:
    return lambda number: seed_of(key, assignment.id, question.id, f"fresh {number}")


def _worth(question: Question) -> Worth:
    return Worth(
        question.id,
        question.points,
        question.weights,
        question.cost_factor,
        _groups(question),
        question.memory_factor,
    )


def _groups(question: Question) -> tuple[tuple[str, ...], ...]:
    return ((ALL,),) if question.scoring == "worst" else tuple(map(tuple, question.groups))


def _provenance(course: Course, assignment: Assignment, key: bytes) -> str:
    judged = [[question.topic, *astuple(_worth(question))] for question in assignment.questions]
    adopted = adopted_digests(course, {question.topic for question in assignment.questions})
    return store.provenance_of(assignment.id, judged, fingerprint(key), reference_digest(course), adopted)
