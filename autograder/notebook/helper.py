"""Which cell do the public checks need before them?

The text of `topic/public.py`, read and not imported: `autograder check` is to be quick.
"""

import ast
from functools import cache
from pathlib import Path

import autograder


@cache
def helper_cell() -> str:
    """The first code cell of a released notebook: `check`, `close` and `once_written`."""
    text = (Path(autograder.__file__).parent / "topic" / "public.py").read_text(encoding="utf-8")
    docstring = ast.parse(text).body[0]
    return "\n".join(text.splitlines()[docstring.end_lineno :]).strip()
