"""How are the runs kept, from which a bar is set?

One small JSON file for each bar: where and with what it was measured, and every run so far. A killed calibration goes
on with the runs that are missing. Runs whose provenance is not today's are not used.
"""

import importlib.metadata
import json
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from autograder.checks.trained import Shapes
from autograder.suite.store import replace_file

_NONE = "none"


@dataclass(frozen=True)
class Run:
    """One run of the reference. reached: a loss in nats, or an accuracy. start: the accuracy of doing nothing, where
    that can be told. shapes: of what it returned."""

    reached: float
    start: float | None
    shapes: Shapes
    seconds: float


@dataclass
class Kept:
    """The runs of one bar in a file.

    provenance: what must be the same for runs to be used. refused: of the provenance of those that were there, what
    was another. measured: when and where the first of them was made.
    """

    path: Path
    provenance: dict[str, str]
    runs: list[Run] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    measured: dict[str, str] = field(default_factory=dict)

    def add(self, run: Run) -> None:
        """Keep one more run, at once."""
        self.runs.append(run)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"provenance": self.provenance, "measured": self.measured, "runs": [_tree(run) for run in self.runs]}
        replace_file(self.path, (json.dumps(document, indent=1) + "\n").encode())


def kept_runs(path: Path, provenance: dict[str, str], *, anew: bool = False) -> Kept:
    """What is kept in a file, if it was measured from the same and with the same. anew: use nothing of it."""
    kept = Kept(path, provenance, measured=_here())
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        there, runs = dict(document["provenance"]), [_run(tree) for tree in document["runs"]]
        measured = dict(document["measured"])
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return kept
    kept.refused = differing(there, provenance)
    if not (anew or kept.refused):
        kept.runs, kept.measured = runs, measured
    return kept


def provenance_of_runs(source: str, key: str) -> dict[str, str]:
    """What a run depends on. source: digest of the topic's files, which draw the data. key: fingerprint of the course's
    key."""
    return {"reference": source, "key": key, "numpy": np.__version__, "torch": _torch()}


def differing(kept: dict[str, str], now: dict[str, str]) -> tuple[str, ...]:
    """What is another by now. A library that is not here is none: without it, nothing that needs it runs."""
    return tuple(sorted(name for name, value in now.items() if value not in (kept.get(name), _NONE)))


def _torch() -> str:
    try:
        return importlib.metadata.version("torch").partition("+")[0]  # without the build, such as cpu
    except importlib.metadata.PackageNotFoundError:
        return _NONE


def _here() -> dict[str, str]:
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return {"began": began, "python": platform.python_version(), "machine": platform.machine()}


def _tree(run: Run) -> dict[str, Any]:
    shapes = {block: [[key, list(shape)] for key, shape in parts.items()] for block, parts in run.shapes.items()}
    return asdict(run) | {"shapes": shapes}


def _run(tree: dict[str, Any]) -> Run:
    shapes = {block: {key: tuple(shape) for key, shape in parts} for block, parts in tree["shapes"].items()}
    return Run(**(tree | {"shapes": shapes}))
