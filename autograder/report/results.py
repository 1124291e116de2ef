"""Where is every check of every student written down?"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def write_results(records: Iterable[Mapping[str, Any]], path: Path | str) -> None:
    """Write one record a line, as JSON in UTF-8, sorted by student.

    path: replaced at once, so a reader never sees half of the results.
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.part")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in sorted(records, key=lambda record: str(record["student"])):
            file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    os.replace(partial, target)
