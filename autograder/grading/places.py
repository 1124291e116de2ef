"""Is there such a line in the notebook?

Student code says itself where it failed, and has met the hidden inputs: a cell and a line that the notebook does not
have are seven digits of them, in a sentence that students read. What was said is kept for staff.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autograder.notebook.submission import Cell
from autograder.values.asking import Answer


def lines_of(cells: Iterable[Cell]) -> dict[str, int]:
    """How many lines each cell has, by the name of its file in tracebacks."""
    return {f"<cell {cell.number}>": cell.source.count("\n") + 1 for cell in cells}


def placed(answer: Answer, lines: Mapping[str, int]) -> Answer:
    """The answer, without a place that is none."""
    line = answer.detail.get("line")
    if line is None or 0 < line <= lines.get(answer.detail.get("where", ""), 0):
        return answer
    rest = {key: value for key, value in answer.detail.items() if key != "line"}
    return replace(answer, detail=rest | {"no such line": line})
