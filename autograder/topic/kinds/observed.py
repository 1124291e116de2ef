"""What did student code show on one case?"""

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from typing import Any

from autograder.topic.case import Bound
from autograder.values import codec
from autograder.values.asking import Answer, Ask, Program
from autograder.values.codec import Register, Stub
from autograder.values.outcomes import Outcome

_OUTCOMES = {
    "raised": Outcome.RAISED,
    "missing": Outcome.MISSING,
    "forbidden": Outcome.FORBIDDEN,
    "mismatch": Outcome.WRONG_TYPE,
    "timed_out": Outcome.TIMED_OUT,
    "out_of_memory": Outcome.OUT_OF_MEMORY,
    "crashed": Outcome.CRASHED,
    "not_graded": Outcome.NOT_GRADED,
}


@dataclass(frozen=True)
class Failure:
    """An ask that brought nothing to compare.

    doing: what was being asked, in words that hold no hidden value.
    """

    outcome: Outcome
    doing: str
    answer: Answer


Observed = dict[str, Any]  # block -> what came back, or a Failure
Observation = Generator[Ask, Answer, Observed]


def failure(answer: Answer, doing: str) -> Failure:
    """The failure that an answer other than `returned` stands for; unknown statuses are our fault."""
    return Failure(_OUTCOMES.get(answer.status, Outcome.NOT_GRADED), doing, answer)


def lifted(inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[int, Callable[..., Any]]]:
    """Replace the callables among the inputs by stubs; the functions behind them by number."""
    callables: dict[int, Callable[..., Any]] = {}
    plain = {}
    for name, value in inputs.items():
        if isinstance(value, Bound):
            callables[len(callables)] = value
            value = Stub(len(callables) - 1)
        plain[name] = value
    return plain, callables


def call(
    key: str,
    name: str,
    inputs: dict[str, Any],
    outputs: tuple[str, ...],
    *,
    keep: str = "",
    watched: Collection[str] = (),
) -> Ask:
    """Ask for `name(*inputs)`. Its result is one value, or a tuple of `outputs`; `keep` stays in the worker.

    The answer's value is {output: value}; what became of the `watched` arguments is under "arguments".
    """
    program = Program()
    plain, callables = lifted(inputs)
    function = program.get(name)
    given = {key: program.value(value) if key in watched else value for key, value in plain.items()}
    result = program.call(function, *given.values())
    parts = program.unpack(result, len(outputs)) if len(outputs) > 1 else [result]
    returns: dict[str, Any] = dict(zip(outputs, parts, strict=True))
    kept: tuple[Register, ...] = (returns[keep],) if keep else ()
    if watched:
        returns["arguments"] = [given[key] for key in watched]
    return program.ask(key, returns, keep=kept, callables=callables)


def spoiled(name: str, inputs: dict[str, Any], watched: Collection[str], answer: Answer) -> Failure | None:
    """The failure of a function that changed watched arguments; None where they came back as they were sent.

    Which ones is a part of the failure: whoever shifts x has not made the mistake of whoever updates params.
    """
    pairs = zip(watched, answer.value["arguments"], strict=True)
    changed = ", ".join(key for key, after in pairs if not unchanged(inputs[key], after))
    if not changed:
        return None
    doing = f"{name} must leave its arguments as they were, and changes {changed}"
    return Failure(Outcome.BROKEN_PROPERTY, doing, Answer("changed", detail={"text": f"changed {changed}"}))


def unchanged(before: object, after: object) -> bool:
    """Whether an argument came back as it was sent."""
    try:
        return codec.encode(before) == codec.encode(after)
    except codec.CodecError:
        return False


def arguments(names: tuple[str, ...], inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs in the order of the parameters; those that a case leaves out keep their default."""
    return {name: inputs[name] for name in names if name in inputs}
