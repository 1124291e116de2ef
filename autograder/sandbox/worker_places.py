"""What were a notebook's names between two of its cells?

Tests that somebody else wrote stand at a place in the notebook. What they see is kept while the cells run.
"""

import random
import sys
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

_PLACES = "<places>"
_MAX_BYTES = 64 * 2**20  # of the data that a place copies
_START = 2_718_281_829  # a seed that no course asks for; the same each time, as the same work earns the same


def start() -> None:
    """Set the generators to where no test looks for them: one of the seed 0 is not passed by those who set none."""
    random.seed(_START)
    np.random.seed(_START)
    torch = sys.modules.get("torch")
    if torch:
        torch.manual_seed(_START)


@dataclass(frozen=True)
class _Place:
    """A notebook's names between two of its cells, and the state of the generators."""

    names: dict[str, Any]
    random: Any
    numpy: Any
    torch: Any


def take(number: int, names: dict[str, Any], touched: Iterable[str]) -> None:
    """Keep the names as they are now, for the tests of this place.

    touched: names whose values later cells might change in place. Those of plain data are copied; where
    one is anything else, the place is not kept, and whoever asks is told so.
    """
    places = names.setdefault(_PLACES, {})
    kept = {name: value for name, value in names.items() if name != _PLACES}
    try:
        memo: dict[int, Any] = {}
        room = [_MAX_BYTES]
        kept |= {name: _copied(kept[name], memo, room) for name in touched if name in kept}
    except _NotPlain:
        places[number] = None
        return
    torch = sys.modules.get("torch")
    state = torch.get_rng_state() if torch else None
    places[number] = _Place(kept, random.getstate(), np.random.get_state(), state)


class _NotPlain(Exception):
    """No plain data, so that a copy might not be the same."""


def _copied(value: Any, memo: dict[int, Any], room: list[int]) -> Any:
    """A copy of plain data; two names of one list are two names of one copy."""
    kind = type(value)
    if kind in (int, float, complex, bool, str, bytes, type(None), range) or isinstance(
        value, types.FunctionType | types.BuiltinFunctionType | types.ModuleType | type | np.generic
    ):
        return value
    if id(value) in memo:
        return memo[id(value)]
    room[0] -= sys.getsizeof(value, 64)
    if room[0] < 0:
        raise _NotPlain
    if kind is np.ndarray and value.dtype != object and value.base is None:
        return memo.setdefault(id(value), value.copy())
    if kind is list or kind is set:
        made: Any = memo.setdefault(id(value), kind())
        fill = made.append if kind is list else made.add
        for item in value:
            fill(_copied(item, memo, room))
        return made
    if kind is tuple:
        return memo.setdefault(id(value), tuple(_copied(item, memo, room) for item in value))
    if kind is dict:
        made = memo.setdefault(id(value), {})
        for key, item in value.items():
            made[_copied(key, memo, room)] = _copied(item, memo, room)
        return made
    raise _NotPlain


def go_to(place: int | None, names: dict[str, Any]) -> bool:
    """Make the names what they were at a place, None for as they are now; False where that is not known for
    certain."""
    places = names.pop(_PLACES, {})
    if place is None:
        return True
    kept = places.get(place)
    if kept is None:
        return False
    names.clear()
    names.update(kept.names)
    random.setstate(kept.random)
    np.random.set_state(kept.numpy)
    if kept.torch is not None:
        sys.modules["torch"].set_rng_state(kept.torch)
    return True
