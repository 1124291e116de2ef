"""What may a student be told of how their own code failed on hidden inputs?

Whatever a worker says about a failure was said beside student code, which met the hidden inputs and
may have put them into the name of an exception, of a type or of a module. So nothing is passed on: it
is looked up among words that were known before.
"""

import builtins
import re
import sys
from collections.abc import Mapping
from typing import Any

_BUILTIN = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)
_OF_LIBRARIES = frozenset(
    "AxisError LinAlgError OutOfMemoryError UFuncTypeError _UFuncNoLoopError _UFuncOutputCastingError "
    "_ArrayMemoryError JSONDecodeError InvalidIndexError".split()
)
_LIBRARIES = frozenset(
    "torch torchvision tensorflow keras jax flax sklearn scipy pandas numpy matplotlib seaborn autograd cupy "
    "tqdm numba statsmodels".split()
)
_PLACE = re.compile(r"<cell (\d{1,4})>")
_MOST_LINES = 99_999
_COUNTED = re.compile(r"(?:tuple|list) of length (\d)")
_PLAIN = {"NoneType": "None", "float": "one number", "int": "one number", "dict": "a dict", "str": "a string"}


_LIMITS = {
    "cpu_s": "CPU time",
    "wall_s": "time on the clock",
    "memory_mib": "memory",
    "disk_mib": "what it may write to files",
    "file_mib": "the size of one file",
    "processes": "processes and threads at a time",
    "open_files": "open files",
    "output": "the size of what it returns",
}


def limit(detail: Mapping[str, Any]) -> str:
    """A sentence that names the limit which was reached, with a space before it, or nothing."""
    name = _LIMITS.get(str(detail.get("limit", "")))
    return f" It reached the limit on {name}." if name else ""


def kind_of_exception(detail: Mapping[str, Any]) -> str:
    """The exception's type where Python or a library defines it."""
    name = str(detail.get("type", ""))
    return name if name in _BUILTIN | _OF_LIBRARIES else "an exception of another type"


def place(detail: Mapping[str, Any]) -> str:
    """` at cell 3, line 2`, or nothing. Whether the notebook has that line is for the reader's page to see."""
    found, line = _PLACE.fullmatch(str(detail.get("where", ""))), detail.get("line")
    if not found or not isinstance(line, int) or not 0 < line <= _MOST_LINES:
        return ""
    return f" at cell {int(found[1])}, line {line}"


def library(detail: Mapping[str, Any]) -> str:
    """The library that was used though it is not there, where it is one that is known; or what the question forbids
    by name, which only the examiner says."""
    if "fence" in detail:
        return str(detail["fence"])
    top = str(detail.get("name", "")).partition(".")[0]
    return top if top in _LIBRARIES | sys.stdlib_module_names else "something"


def returned(detail: Mapping[str, Any]) -> str:
    """What came back in place of the agreed number of results."""
    got = str(detail.get("got", ""))
    counted = _COUNTED.fullmatch(got)
    if counted:
        return "one result in a tuple or list" if counted[1] == "1" else f"{counted[1]} results"
    if got.startswith("array of dtype "):
        return "a single array"
    return _PLAIN.get(got, "something else")
