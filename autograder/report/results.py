"""Where is every check of every student written down?

One record a line, as JSON in UTF-8. While a class is graded, its records are appended to a journal beside
`results.jsonl`; what is in either is known to the next run into the same folder.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, overload

from pydantic import ValidationError

from autograder.course.errors import CourseError
from autograder.grading.ledger import is_final
from autograder.grading.record import Record
from autograder.notebook.find import Source

RESULTS = "results.jsonl"
_Line = tuple[int, int]  # where in the journal: offset and length


def write_results(records: Iterable[Mapping[str, Any]], path: Path | str) -> None:
    """Write one record a line, sorted by student.

    path: replaced at once, so a reader never sees half of the results.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in sorted(records, key=lambda record: str(record["student"])):
            file.write(_line(record))
    os.replace(partial, target)


def write_in_order(records: Iterable[Record], path: Path) -> None:
    """The same of records that come sorted by student, of which one is in memory at a time."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(_line(record.as_json()))
    os.replace(partial, path)


class Results(Sequence[Record]):
    """A ledger in a folder: the records of one run, sorted by student, read from disk as they are needed.

    What a killed run left there is known; a line that it did not finish is cut off.
    """

    def __init__(self, out: Path) -> None:
        """out: made if it is not there. Raises OSError where it cannot be written."""
        self._made = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        self.path = out / RESULTS
        self._journal = out / f".{RESULTS}.journal"
        self._file = self._journal.open("a+b")
        _lock(self._file, out)
        self._known: dict[str, _Line] = {}  # by key
        self._mine: dict[str, _Line] = {}  # by student
        self._order: list[str] | None = None
        self._take_over()

    def known(self, key: str) -> Record | None:
        place = self._known.get(key)
        return self._read(place) if place else None

    def keep(self, source: Source, record: Record) -> None:
        line = _line(record.as_json()).encode()
        self._mine[record.student] = place = self._append(line)
        if is_final(record):
            self._known[record.key] = place
        self._order = None

    def write(self) -> None:
        """Make `results.jsonl` of this run's records; the journal has done its work with `close`."""
        partial = self.path.with_name(f".{RESULTS}.part")
        with partial.open("wb") as file:
            for student in self._students():
                file.write(self._bytes(self._mine[student]))
        os.replace(partial, self.path)

    def close(self, *, done: bool = False) -> None:
        """done: all of it is in `results.jsonl` now."""
        empty = self._file.seek(0, os.SEEK_END) == 0
        if done or empty:
            self._journal.unlink()
        self._file.close()
        if empty and not done and self._made and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()  # nobody was graded, so nothing is left behind

    def __len__(self) -> int:
        return len(self._mine)

    def __iter__(self) -> Iterator[Record]:
        for student in self._students():
            yield self._read(self._mine[student])

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...

    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        if isinstance(index, slice):
            return [self._read(self._mine[student]) for student in self._students()[index]]
        return self._read(self._mine[self._students()[index]])

    def _students(self) -> list[str]:
        if self._order is None:
            self._order = sorted(self._mine)
        return self._order

    def _take_over(self) -> None:
        """Know what is in the journal of a run that did not end, and in `results.jsonl`."""
        end = 0
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._know(line, (end, len(line)))
            end += len(line)
        self._file.truncate(end)
        if self.path.exists():
            with self.path.open("rb") as earlier:
                for line in earlier:
                    self._know(line, None)

    def _know(self, line: bytes, place: _Line | None) -> None:
        """place: None for a line that is not in the journal, which it is copied to."""
        try:
            record = Record.model_validate_json(line)
        except ValidationError:  # of another version: graded again
            return
        if is_final(record) and (place is not None or record.key not in self._known):
            self._known[record.key] = place or self._append(line)

    def _append(self, line: bytes) -> _Line:
        self._file.seek(0, os.SEEK_END)
        place = (self._file.tell(), len(line))
        self._file.write(line)
        self._file.flush()
        return place

    def _bytes(self, place: _Line) -> bytes:
        self._file.seek(place[0])
        return self._file.read(place[1])

    def _read(self, place: _Line) -> Record:
        return Record.model_validate_json(self._bytes(place))


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _lock(file: BinaryIO, out: Path) -> None:
    """Two runs must not write one journal. The lock ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows, where nobody grades a class
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise CourseError(
            f"another `autograder grade` is writing to {out}: wait for it, or name another --out"
        ) from error
