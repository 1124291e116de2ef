"""Is what came back what was expected, within the allowed difference?

The allowed difference belongs to the expected side: it was measured when the suite was compiled. Four
levels are looked at in turn, kind, shape, finiteness, value, and the first that fails is the outcome.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.values.codec import Handle
from autograder.values.outcomes import Outcome

_MOST_AXES = 6  # of a shape that is told to a student
_TINY = 1e-140  # squares of smaller numbers underflow


@dataclass(frozen=True)
class Leaf:
    """One expected array.

    value: numbers or booleans. allowed64, allowed32: the largest allowed norm of the difference, for
    answers in float64 and in float32; a number for the whole, or one a row.
    deciding: False where the value is too small to tell right from wrong; then only shape and
    finiteness are looked at.
    """

    value: np.ndarray
    allowed64: np.ndarray
    allowed32: np.ndarray
    deciding: bool = True

    @cached_property
    def limit(self) -> float:
        """The allowed norm of the difference, where one number without infinities allows a single look."""
        single = self.deciding and self.allowed64.ndim == 0 and bool(np.isfinite(self.value).all())
        return float(self.allowed64) if single and self.allowed64 > _TINY else -1.0


@dataclass(frozen=True)
class Expectation:
    """What one block of one case must be: a single leaf, or leaves under the keys of a dict or list.

    container: "", "dict" or "list". axes: how the topic's author wrote the shape, such as "N C".
    """

    container: str
    leaves: dict[str | int, Leaf]
    axes: str = ""


@dataclass(frozen=True)
class Comparison:
    """How a comparison ended.

    message: for the student; holds no value, no index and no number of the hidden case.
    evidence: for the teaching assistant: count, worst index, both values, allowed difference.
    ratio: difference over allowed difference, the larger the further from right; nan where no values
    were compared.
    """

    outcome: Outcome
    message: str = ""
    evidence: str = ""
    ratio: float = float("nan")


def split(value: Any) -> tuple[str, dict[str | int, np.ndarray]]:
    """Take a value apart into container and arrays; TypeError where it is no value that can be compared."""
    if isinstance(value, dict):
        return "dict", {key: as_array(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(item, np.ndarray) and item.ndim for item in value):
        return "list", {index: as_array(item) for index, item in enumerate(value)}
    return "", {"": as_array(value)}


def as_array(value: Any) -> np.ndarray:
    """An array, a number, or a list of numbers, as an array; anything else is a TypeError."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, bool | int | float | np.generic):
        return np.asarray(value)
    if isinstance(value, list) and _all_numbers(value):
        try:
            array = np.asarray(value)
        except ValueError:  # rows of one length further down, and of another beside them: it is no array
            raise TypeError(f"{in_words(value)} is no array of numbers") from None
        if array.dtype.kind in "biuf":
            return array
    raise TypeError(f"{in_words(value)} is no array of numbers")


def compare(*, actual: Any, expected: Expectation, what: str) -> Comparison:
    """Hold what came back against what was expected. `what` names the block in the messages."""
    if expected.container:
        return _compare_container(actual, expected, what)
    return _compare_leaf(actual, expected.leaves[""], what, expected.axes)


def precision(array: np.ndarray) -> int:
    """32 where the numbers carry no more than single precision, else 64."""
    if array.dtype.kind != "f":
        return 64
    if array.dtype.itemsize < 8:
        return 32
    with np.errstate(over="ignore"):
        return 32 if np.array_equal(array, array.astype(np.float32), equal_nan=True) else 64


def norm(array: np.ndarray, *, rows: bool = False) -> np.ndarray:
    """Euclidean norm without overflow: of all entries, or of each row (all axes but the first); infinite where it is
    larger than any number."""
    flat = np.abs(array.astype(np.float64)).reshape(len(array) if rows else 1, -1)
    largest = flat.max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    with np.errstate(over="ignore"):
        norms = scale * np.sqrt(np.square(flat / scale[:, None]).sum(axis=1))
    return np.asarray(norms if rows else norms[0])


def in_words(value: Any) -> str:
    """What a value is, for a student: its kind alone. Sizes, names and keys could carry hidden inputs out."""
    if value is None:
        return "None"
    if isinstance(value, Handle):
        return "an object"
    if isinstance(value, np.ndarray):
        return "an array"
    if isinstance(value, dict):
        return "a dict"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__}"
    if isinstance(value, str):
        return "a string"
    return "a number"


def in_detail(value: Any) -> str:
    """What a value is, for a teaching assistant."""
    if isinstance(value, Handle):
        return f"an object ({printable(value.description)})" if value.description else "an object"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, dict):
        return printable(f"a dict with the keys {', '.join(map(str, value))}"[:200])
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return in_words(value)


def printable(text: str) -> str:
    """The text, with `?` for whatever a terminal might obey instead of showing it; lines stay lines."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def _compare_container(actual: Any, expected: Expectation, what: str) -> Comparison:
    keys = list(expected.leaves)
    if expected.container == "list":
        if not isinstance(actual, list | tuple) or len(actual) != len(keys):
            wanted = f"a list of {len(keys)} arrays"
            message = f"{what} must be {wanted}; it is {_another(actual, 'list')}."
            return Comparison(Outcome.WRONG_TYPE, message, f"{what} is {in_detail(actual)}")
        actual = dict(enumerate(actual))
    elif not isinstance(actual, dict) or set(actual) != set(keys):
        wanted = "a dict with the keys " + ", ".join(map(str, keys))
        message = f"{what} must be {wanted}; it is {_another(actual, 'dict')}."
        return Comparison(Outcome.WRONG_TYPE, message, f"{what} is {in_detail(actual)}")
    found = [_compare_leaf(actual[key], leaf, f"{what}[{key!r}]", "") for key, leaf in expected.leaves.items()]
    failed = [comparison for comparison in found if comparison.outcome != Outcome.PASSED]
    # A leaf that failed before its values were compared, as by its shape, is further off than any ratio says.
    outright = any(comparison.ratio != comparison.ratio for comparison in failed)
    ratios = [comparison.ratio for comparison in found if comparison.ratio == comparison.ratio and not outright]
    worst = max(ratios, default=float("nan"))
    chosen = failed[0] if failed else Comparison(Outcome.PASSED)
    return Comparison(chosen.outcome, chosen.message, chosen.evidence, worst)


def _compare_leaf(actual: Any, leaf: Leaf, what: str, axes: str) -> Comparison:
    try:
        array = as_array(actual)
    except TypeError:
        wanted = "a number" if leaf.value.ndim == 0 else "a NumPy array"
        message = f"{what} must be {wanted}; it is {in_words(actual)}."
        return Comparison(Outcome.WRONG_TYPE, message, f"{what} is {in_detail(actual)}")
    if array.shape != leaf.value.shape:
        message = _wrong_shape(array.shape, leaf.value.shape, what, axes)
        evidence = f"{what} has shape {array.shape}, expected {leaf.value.shape}"
        return Comparison(Outcome.WRONG_SHAPE, message, evidence)
    wide = array.astype(np.float64)
    reference = leaf.value.astype(np.float64)
    if leaf.limit > 0:
        with np.errstate(all="ignore"):  # what is not finite fails here, and is looked at more closely below
            difference = (wide - reference).reshape(-1)
            distance = math.sqrt(difference @ difference)
        if distance <= leaf.limit:
            return Comparison(Outcome.PASSED, ratio=distance / leaf.limit)
    finite = np.isfinite(wide)
    if not np.array_equal(finite, np.isfinite(reference)):
        kind = "NaN" if np.isnan(wide).any() else "infinity"
        evidence = f"{int((~finite).sum())} of {wide.size} entries are not finite"
        return Comparison(Outcome.NOT_FINITE, f"{what} holds {kind} where a finite number belongs.", evidence)
    if not leaf.deciding:
        return Comparison(Outcome.PASSED)
    return _compare_numbers(wide, reference, leaf, what, array)


def _compare_numbers(actual: np.ndarray, expected: np.ndarray, leaf: Leaf, what: str, given: np.ndarray) -> Comparison:
    infinite = ~np.isfinite(expected)
    with np.errstate(over="ignore"):
        difference = np.where(infinite, 0.0, actual) - np.where(infinite, 0.0, expected)
    distance = norm(difference, rows=leaf.allowed64.ndim == 1)
    allowed = leaf.allowed64
    if np.any(distance > allowed) and precision(given) == 32:
        allowed = leaf.allowed32
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = float(np.max(np.where(distance == 0, 0.0, distance / allowed), initial=0.0))
    same_infinite = not infinite.any() or np.array_equal(actual[infinite], expected[infinite], equal_nan=True)
    if same_infinite and ratio <= 1:
        return Comparison(Outcome.PASSED, ratio=ratio)
    entrywise = np.abs(difference)
    worst = np.unravel_index(int(np.argmax(entrywise)), entrywise.shape) if entrywise.ndim else ()
    off = int((entrywise > np.max(allowed, initial=0.0) / max(1.0, np.sqrt(entrywise.size))).sum())
    evidence = (
        f"{what}: {off} of {actual.size} entries differ; worst at {[int(i) for i in worst]}: "
        f"{actual[worst]:.10g}, expected {expected[worst]:.10g}; difference {float(np.max(distance)):.3g}, "
        f"allowed {float(np.max(allowed)):.3g}"
    )
    return Comparison(Outcome.WRONG_VALUE, f"{what} has the right shape but wrong values.", evidence, ratio)


def _wrong_shape(shape: tuple[int, ...], expected: tuple[int, ...], what: str, axes: str) -> str:
    """What a student is told of a shape: in names of axes, `?` for any other size. A size as a number could
    carry a hidden number out."""
    if not expected:
        return f"{what} must be a single number; it is an array."
    if not shape:
        return f"{what} must be an array; it is a single number."
    names = axes.split()
    if len(names) == len(expected) and len(shape) <= _MOST_AXES:
        named = dict(zip(reversed(expected), reversed(names), strict=True))
        got = ", ".join("1" if size == 1 else named.get(size, "?") for size in shape)
        return f"{what} must have shape ({', '.join(names)}); it has shape ({got})."
    if len(shape) != len(expected):
        return f"{what} must have another number of axes, {len(expected)}."
    return f"{what} has the right number of axes, but not their right sizes."


def _another(value: Any, kind: str) -> str:
    """What came in place of a container; of the same kind, another one."""
    is_kind = isinstance(value, dict if kind == "dict" else list | tuple)
    return f"another {kind}" if is_kind else in_words(value)


def _all_numbers(value: list[Any]) -> bool:
    if all(isinstance(item, list) for item in value):
        return len({len(item) for item in value}) <= 1 and all(_all_numbers(item) for item in value)
    return all(
        isinstance(item, bool | int | float | np.generic) or (isinstance(item, np.ndarray) and item.ndim == 0)
        for item in value
    )
