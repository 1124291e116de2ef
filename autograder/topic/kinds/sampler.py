"""A sampler: given a generator, it draws for itself. All draws of a case are one ask.

Two right programs draw other numbers from the same generator, so no value is expected of a draw. What is
looked at is which laws every draw obeys, whether `rng` decides, and how far counts over many draws are from
what the distribution says; these are its blocks.
"""

from typing import Any

import numpy as np

from autograder.topic.case import Case
from autograder.topic.chance import distance
from autograder.topic.declare import Topic
from autograder.topic.kinds.observed import Failure, Observation, Observed, arguments, failure
from autograder.topic.parts import DRAWS, GENERATOR, RNG, Distribution
from autograder.topic.sampling import Sampler
from autograder.values import codec
from autograder.values.asking import Answer, Ask, Program
from autograder.values.codec import Register, Seed
from autograder.values.compare import as_array
from autograder.values.outcomes import Outcome

REPEATED = 8  # draws that are made again with the same seed, and with another
_BAD_FORM = (ArithmeticError, LookupError, TypeError, ValueError)  # what numbers of a wrong form lead to


def complete(topic: Topic, case: Case, rng: np.random.Generator) -> Case:
    """Draw the seed of the case's generator."""
    return case.at(**{RNG: Seed(int(rng.integers(2**62)))})


def observe(topic: Topic, case: Case) -> Observation:
    assert isinstance(topic, Sampler)
    answer = yield case.ask("draws", lambda: _program(topic, case))
    blocks = [block.name for block in topic.blocks] if not case.edge else [DRAWS]
    if not answer.returned:
        return dict.fromkeys(blocks, failure(answer, f"calling {topic.name}"))
    try:
        draws = [_formed(topic, draw) for draw in answer.value["draws"]]
    except TypeError as error:
        mismatch = Answer("mismatch", detail={"got": str(error)})
        return dict.fromkeys(blocks, Failure(Outcome.WRONG_TYPE, f"calling {topic.name}", mismatch))
    inputs = {name: value for name, value in case.inputs.items() if name != RNG}
    observed: Observed = {DRAWS: _laws(topic, inputs, draws)}
    if not case.edge:
        observed[GENERATOR] = _generator(answer.value)
        if not topic.structured:  # one law more: something is drawn
            observed[DRAWS] = np.append(observed[DRAWS], observed[GENERATOR][1])
        for law in topic.distributions:
            obeys = bool(observed[DRAWS].all())
            observed[law.name] = _distances(law, inputs, draws) if obeys else _not_counted()
    return observed


def _program(topic: Sampler, case: Case) -> Ask:
    """Draws one after the other from one generator; a few again from the same seed, and from another."""
    program = Program()
    function = program.get(topic.name)
    seed = case.inputs[RNG].number

    def draws(seed: int, count: int) -> list[Any]:
        generator = program.value(Seed(seed))
        given = arguments(topic.parameters, {**case.inputs, RNG: generator})
        made: list[Register] = [program.call(function, *given.values()) for _ in range(count)]
        if len(topic.returns) == 1:
            return list(made)
        return [program.unpack(each, len(topic.returns)) for each in made]

    returns = {"draws": draws(seed, case.draws)}
    if not case.edge:
        repeated = min(REPEATED, case.draws)
        returns |= {"again": draws(seed, repeated), "other": draws(seed + 1, repeated)}
    return program.ask(f"{case.name}/draws", returns)


def _formed(topic: Sampler, draw: Any) -> Any:
    """A draw as arrays, or as lists of arrays where the topic is annotated so.

    TypeError for another form, with the name of what came instead.
    """
    outputs = [draw] if len(topic.returns) == 1 else draw
    formed: list[Any] = []
    for output, is_list in zip(outputs, topic.lists, strict=True):
        if is_list and not isinstance(output, list | tuple):
            raise TypeError(_named(output))
        formed.append([_array(item) for item in output] if is_list else _array(output))
    return formed[0] if len(formed) == 1 else tuple(formed)


def _array(value: Any) -> np.ndarray:
    try:
        return as_array(value)
    except TypeError:
        raise TypeError(_named(value)) from None


def _named(value: Any) -> str:
    return f"array of dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


def _laws(topic: Sampler, inputs: dict[str, Any], draws: list[Any]) -> np.ndarray:
    """For each law, whether it holds for every draw."""
    return np.array([all(_holds(law.holds, inputs, draw) for draw in draws) for law in topic.laws])


def _holds(law: Any, inputs: dict[str, Any], draw: Any) -> bool:
    try:
        return bool(law(inputs, draw))
    except _BAD_FORM:
        return False


def _generator(value: dict[str, Any]) -> np.ndarray:
    """Whether the same seed gives the same draws, and whether another gives others."""
    first = value["draws"][: len(value["again"])]
    same, other = (codec.encode(value[name]) == codec.encode(first) for name in ("again", "other"))
    return np.array([same, not other])


def _distances(law: Distribution, inputs: dict[str, Any], draws: list[Any]) -> np.ndarray:
    """How far each count is from the law, a row a count: each is judged by itself."""
    try:
        hits, trials, probability = law.counts(inputs, draws)
        return distance(hits, trials, probability).reshape(-1, 1)
    except _BAD_FORM:
        return _not_counted()


def _not_counted() -> np.ndarray:
    return np.full((1, 1), np.nan)
