"""Is a hidden number on a page? Looks for every number of a suite's cases, in the forms in which it can be printed.

A number counts as found by six or more of its significant digits, rounded or cut off, wherever its point
and exponent stand; by three where its neighbour in the array stands beside it; by its bytes or its hex
form. Whole numbers count as a run of six, because a label 3 is everywhere.
"""

import html
import itertools
import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograder.checks.plan import Plan
from autograder.topic.case import Bound

FEW, MANY, RUN = 3, 6, 6
_TOKEN = re.compile(r"(?<![\w.#])[-+]?(\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BESIDE = re.compile(r"[\s,;\[\]()]{1,12}")
_HEX = re.compile(r"[0-9a-f]{16,}|0x[01]\.[0-9a-f]+")
# Coordinates of a picture are no numbers that anybody reads.
_DRAWN = re.compile(r'\s(?:points|x|y|x1|x2|y1|y2|cx|cy|r|rx|width|height|viewBox|style)="[^"]*"')


class Secrets:
    """The hidden numbers of some plans."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._digits: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        self._runs: set[tuple[str, ...]] = set()
        self._bytes: set[str] = set()
        self.count = 0
        for array in (array for plan in plans for array in _arrays(plan)):
            flat = array.ravel().tolist()
            if array.dtype.kind in "iu":
                words = [str(value) for value in flat]
                self._runs |= {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
                continue
            for value in filter(_telling, flat):
                self.count += 1
                self._digits |= {form for k in range(MANY, 18) for form in _forms(value, k)}
                self._digits |= {form for k in range(MANY, 10) for form in _forms(float(np.float32(value)), k)}
                self._bytes |= {float(value).hex().lstrip("-").partition("p")[0], struct.pack("<d", value).hex()}
            for one, other in itertools.pairwise(flat):
                if _telling(one) and _telling(other):
                    for k in range(FEW, MANY):
                        self._pairs |= {(a, b) for a in _forms(one, k) for b in _forms(other, k)}

    def found_in(self, page: str) -> list[str]:
        """What of them stands on a page."""
        text = html.unescape(_DRAWN.sub("", page))
        tokens = list(_TOKEN.finditer(text))
        found = [token[0] for token in tokens if _mantissa(token[1]) in self._digits]
        for one, other in itertools.pairwise(tokens):
            pair = (_mantissa(one[1]), _mantissa(other[1]))
            if _BESIDE.fullmatch(text[one.end() : other.start()]) and pair in self._pairs:
                found.append(f"{one[0]} {other[0]}")
        words = [token[0] for token in tokens]
        found += [" ".join(run) for run in zip(*(words[i:] for i in range(RUN)), strict=False) if run in self._runs]
        for match in _HEX.findall(text):
            chunks = [match] if match.startswith("0x") else [match[i : i + 16] for i in range(0, len(match) - 15, 16)]
            found += [chunk for chunk in chunks if chunk in self._bytes]
        return found


def _arrays(plan: Plan) -> Iterator[np.ndarray]:
    for case in [*plan.cases.values(), *plan.runs]:
        yield from _leaves(case.inputs)
    for blocks in plan.expectations.values():
        for expectation in blocks.values():
            yield from (np.asarray(leaf.value) for leaf in expectation.leaves.values())


def _leaves(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, Bound):
        yield from _leaves(value.arguments)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple) and not all(isinstance(item, int | float) for item in value):
        for item in value:
            yield from _leaves(item)
    else:
        array = np.asarray(value)
        if array.dtype.kind in "iuf":
            yield array


def _telling(value: float) -> bool:
    """Whether it has so many digits that nobody else would print it by chance."""
    return bool(np.isfinite(value)) and len(_mantissa(f"{value:.15e}".partition("e")[0])) > MANY


def _forms(value: float, digits: int) -> set[str]:
    """The first significant digits of a number, rounded and cut off; not where hardly any are left of them."""
    rounded = _mantissa(f"{abs(value):.{digits - 1}e}".partition("e")[0])
    cut = _mantissa(f"{abs(value):.17e}".partition("e")[0])[:digits]
    return {form for form in (rounded, cut) if len(form) >= digits - 1 >= FEW - 1}


def _mantissa(text: str) -> str:
    """Significant digits, without the zeros at both ends."""
    return text.lstrip("-+").replace(".", "").strip("0")
