"""What does somebody show who made two known mistakes at once?

Two misconceptions that are edits of different places make a pair. What it shows on the suite's cases is computed
with the suite, so that naming it is a look-up, and the same in every grading.
"""

import itertools
from collections.abc import Iterator

from autograder.checks.plan import Plan
from autograder.checks.resemblance import resembles
from autograder.suite.bounded import each_bounded
from autograder.suite.right import show
from autograder.suite.store import observed_from, observed_tree
from autograder.topic.declare import Topic
from autograder.topic.edits import EditError, defined_names, edited, rebuild, source_of
from autograder.topic.kinds import Observed
from autograder.topic.parts import Misconception, Names
from autograder.values import codec

PAIR_CPU_S = 2  # a pair that computes longer on the cases is left out
Pairs = dict[tuple[str, str], dict[str, Observed]]  # two misconceptions -> case -> what both together show


def pairs_of(topic: Topic) -> Iterator[tuple[Misconception, Misconception, str]]:
    """Two misconceptions each, and the source with both, where their edits do not meet.

    They do not where either order of them fits and gives the same source. Whole wrong implementations make no
    pairs, nor do those that are declared equivalent to another.
    """
    source = "\n\n".join(source_of(definition) for definition in topic.reference.values())
    candidates = [each for each in topic.misconceptions if each.edits and not each.equivalent_to]
    for one, other in itertools.combinations(candidates, 2):
        try:
            both = edited(source, one.edits + other.edits)
            again = edited(source, other.edits + one.edits)
        except EditError:
            continue
        if both == again:
            yield one, other, both


def show_pairs(plan: Plan) -> Pairs:
    """What each pair shows on the plan's cases, where that is something that neither shows alone.

    Edge cases are among them: many a mistake, such as one of numerics, shows nowhere else.

    plan: with what the single misconceptions show. A sampler has none: there is no value to recognise.
    """
    topic = plan.topic
    if topic.kind == "sampler":
        return {}
    found = list(pairs_of(topic))

    def work(pair: tuple[Misconception, Misconception, str]) -> bytes:
        shown = show(topic, names_of(topic, pair[2]), plan.cases.values())
        return codec.encode({case: observed_tree(observed) for case, observed in shown.items()})

    pairs: Pairs = {}
    for (one, other, _), payload in zip(found, each_bounded(found, work, PAIR_CPU_S), strict=True):
        if payload is None:
            continue
        shown = {case: observed_from(tree) for case, tree in codec.decode(payload).items()}
        if any(_is_new(plan, block.name, one.name, other.name, shown) for block in topic.blocks):
            pairs[one.name, other.name] = shown
    return pairs


def names_of(topic: Topic, source: str) -> Names:
    """What students define, made of an edited source of the reference."""
    rebuilt = rebuild(source, defined_names(tuple(topic.reference.values())))
    return topic.as_defined({name: rebuilt[name] for name in topic.reference})


def _is_new(plan: Plan, block: str, one: str, other: str, shown: dict[str, Observed]) -> bool:
    """Whether a block is neither right nor what one of the two shows alone."""
    cases = [case for case in shown if block in plan.expectations[case]]

    def differs(from_: dict[str, Observed]) -> bool:
        return any(
            not resembles(shown[case].get(block), from_[case].get(block), plan.expectations[case][block], block)
            for case in cases
        )

    right = {case: {block: _value(plan, case, block)} for case in cases}
    return differs(right) and differs(plan.wrong[one]) and differs(plan.wrong[other])


def _value(plan: Plan, case: str, block: str) -> object:
    expectation = plan.expectations[case][block]
    values = {key: leaf.value for key, leaf in expectation.leaves.items()}
    if expectation.container == "list":
        return list(values.values())
    return values if expectation.container else values[""]
