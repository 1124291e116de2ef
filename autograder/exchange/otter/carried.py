"""What does otter keep with a student's notebook, beside the text of its cells?

The name of the assignment; after which cells it runs tests although no cell there says so (`check_cell: false`); and
which cells it leaves out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.notebook.cells import NotANotebook, blocks_of, kind_of

_TAG = "otter_ignore"


@dataclass(frozen=True)
class Carried:
    """checks: the questions that are checked after so many code cells. ignored: the numbers of code cells."""

    assignment: str = ""
    checks: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    ignored: frozenset[int] = frozenset()


def carried(contents: bytes) -> Carried:
    """What otter keeps in a notebook's bytes; nothing where they are none. Students may have changed it."""
    try:
        blocks = blocks_of(contents)
    except NotANotebook:
        return Carried()
    checks: dict[int, tuple[str, ...]] = {}
    ignored: set[int] = set()
    number = 0
    for block in blocks:
        is_code = kind_of(block) == "code"
        number += is_code
        meta = _dict(block.get("metadata"))
        own = _dict(meta.get("otter"))
        tags = meta.get("tags")
        if own.get("ignore") or (isinstance(tags, list) and _TAG in tags):
            ignored |= {number} if is_code else set()
            continue
        tests = own.get("tests")
        names = tuple(name for name in tests if isinstance(name, str)) if isinstance(tests, list) else ()
        checks[number] = checks.get(number, ()) + names
    return Carried(_assignment(contents), checks, frozenset(ignored))


def _assignment(contents: bytes) -> str:
    try:
        document = _dict(json.loads(contents))
    except (ValueError, RecursionError):  # in an encoding of its own: that it has cells is all that is known
        return ""
    name = _dict(_dict(document.get("metadata")).get("otter")).get("assignment_name")
    return name if isinstance(name, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
