"""What to do about a cell at which loading stopped?

Loading is optimistic: all cells run in one process. If that process loops, exits or crashes at a cell,
a fresh one starts and runs only that cell's definitions; if it stops there again, the cell is left out.
"""

import json
from collections.abc import Mapping
from typing import Any

from autograder.sandbox.limits import Limits, Loaded, Note

_HEAVY_SHARE = 0.1  # of the time for a whole load; such a cell is skipped when that time is up
_MAX_TEXT = 500
_MAX_NOTES = 200
_HANDED_IN = {
    "code": "its cells hold more code than any notebook needs",
    "disk_mib": "its files do not fit onto the disk that a submission has",
}


class Policy:
    """The state of one submission's loading.

    cells, skip: what to load next. over: nothing more is to be done. loaded: the last load worked.
    """

    def __init__(self, limits: Limits, cells: list[tuple[int, str]], skip: frozenset[int]) -> None:
        self._limits = limits
        self._notes: list[Note] = []
        self._report: dict[str, Any] = {}
        self._failed: str | None = None
        self._stops = 0
        self.cells = cells
        self.skip = set(skip)
        self.over = False
        self.loaded = False

    def note(self, end: dict[str, Any], report: bytes) -> None:
        """Take in how a load ended. report: what the loader says, which student code may have forged."""
        if end["event"] == "loaded":
            self._report = _checked(report)
            self.loaded = self.over = True
            if end["threads"] > 1:
                text = "the notebook left threads running: each question is answered by loading it again"
                self._notes.append(Note(None, "threads", text))
            return
        why, cell = end["why"], end["cell"]
        self._stops += 1
        unknown = cell not in {number for number, _ in self.cells}
        if unknown or why == "not_graded" or self._stops > self._limits.reloads:
            self._fail(why, end["detail"])
            return
        if cell in self.skip:
            self.cells = [(number, source) for number, source in self.cells if number != cell]
            self._notes.append(Note(cell, "stopped", f"cell {cell} {self._said(why, end)}; it was left out"))
            return
        heavy = {int(number): used for number, used in end["heavy"].items()}
        text = f"cell {cell} {self._said(why, end)}; only its definitions were kept"
        self._notes.append(Note(cell, "stopped", text))
        self.skip.add(cell)
        if why == "timed_out" and heavy.get(cell, 0.0) < self._limits.cell_cpu_s:
            self._skip_heavy(heavy, cell)
        if self._stops == self._limits.reloads:
            self.skip |= {number for number, _ in self.cells}

    def _skip_heavy(self, heavy: dict[int, float], last: int) -> None:
        """All cells together took too long: the next load leaves out what takes long in each."""
        for number, used in heavy.items():
            if number != last and number not in self.skip and used > _HEAVY_SHARE * self._limits.load_cpu_s:
                text = f"cell {number} takes much of the {self._limits.load_cpu_s:g} s of CPU time that all cells have"
                self._notes.append(Note(number, "stopped", f"{text}; only its definitions were kept"))
                self.skip.add(number)

    def _said(self, why: str, end: dict[str, Any]) -> str:
        """How a cell ended. What was allowed, never what was measured: that differs from run to run."""
        if why == "timed_out":
            allowed, time = end["detail"]["allowed"], "CPU time" if end["detail"]["limit"] == "cpu_s" else "time"
            whose = " for all cells" if allowed == self._limits.load_cpu_s else ""
            return f"was stopped at the limit of {allowed:g} s of {time}{whose}"
        if why == "out_of_memory":
            return "ran out of memory"
        if why == "forbidden":
            return "made a system call that is refused here, which ended the process"
        return f"ended the process ({end['detail']['text'].removeprefix('ended by ')})"

    def lost(self) -> None:
        """The jail ended: ours to explain."""
        self._fail("not_graded", {"text": "the jail ended"})

    def too_much_code(self) -> None:
        """The cells are more than a notebook has, and are not run."""
        self._fail("crashed", {"text": "its cells hold more code than any notebook needs", "limit": "code"})

    def _fail(self, why: str, detail: Mapping[str, Any]) -> None:
        """Nothing can be loaded. What was handed in is told to the student; what went wrong here is not."""
        self._failed, self.over = why, True
        text = "this notebook could not be loaded"
        if why != "not_graded" and detail.get("limit") in _HANDED_IN:
            text = f"{text}: {_HANDED_IN[detail['limit']]}"
        said = ", ".join(f"{key}: {value}" for key, value in detail.items() if key != "used")
        self._notes.append(Note(None, "stopped", text, f"{why}, {said}"))

    def result(self, wanted: frozenset[str]) -> Loaded:
        """What came of it all."""
        if self._failed:
            return Loaded(tuple(self._notes), wanted, frozenset(self.skip), self._failed)
        notes = tuple(self._notes) + self._report["notes"]
        return Loaded(notes, wanted & self._report["missing"], frozenset(self.skip))


def _checked(report: bytes) -> dict[str, Any]:
    """A loader's report, rebuilt; what is malformed counts as nothing said."""
    try:
        told = json.loads(report)
    except (ValueError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    notes, missing = told.get("notes"), told.get("missing")
    rebuilt = [_note(note) for note in notes[:_MAX_NOTES]] if isinstance(notes, list) else []
    names = {name for name in missing if isinstance(name, str)} if isinstance(missing, list) else set()
    return {"notes": tuple(note for note in rebuilt if note), "missing": frozenset(names)}


def _note(note: Any) -> Note | None:
    if not isinstance(note, list) or len(note) != 4:
        return None
    cell, *texts = note
    if not (cell is None or type(cell) is int) or not all(isinstance(text, str) for text in texts):
        return None
    return Note(cell, *("".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT]) for text in texts))
