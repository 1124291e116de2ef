"""Tables for pandas: CSV and Parquet, one row a student, a state beside every number.

Programs read these, so nothing in them is altered, a name like `=1+1` neither; people open `xlsx`. An
ungraded student is a row without a number: the one format in which nothing is left out.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograder.course.errors import CourseError
from autograder.exchange.model import Score, Student

if TYPE_CHECKING:
    import pandas as pd

_FIELDS = ("login", "sis_id", "lms_id", "email", "name", "section")


def csv_bytes(pairs: Sequence[tuple[Student | None, Score | None]], assignment: str) -> bytes:
    """UTF-8 without a mark, as `pandas.read_csv(path, dtype=...)` wants it; points with every digit."""
    text: str = _frame(pairs, assignment).to_csv(index=False, lineterminator="\n")
    return text.encode()


def parquet_bytes(pairs: Sequence[tuple[Student | None, Score | None]], assignment: str) -> bytes:
    """Parquet, with points as doubles and everything else as text."""
    try:
        import pyarrow  # noqa: F401 - pandas' own message names no remedy of ours
    except ImportError as error:
        raise CourseError("Parquet takes pyarrow: pip install 'gradient-autograder[parquet]'") from error
    file = io.BytesIO()
    _frame(pairs, assignment).to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _frame(pairs: Sequence[tuple[Student | None, Score | None]], assignment: str) -> "pd.DataFrame":
    import pandas as pd  # half a second, which only those pay who write a table

    rows = []
    for student, score in pairs:
        row = {"student": score.student if score else "", "assignment": assignment}
        row |= {name: getattr(student, name) if student else "" for name in _FIELDS}
        row["state"] = str(score.state) if score else "missing"
        numbers = {
            "points": float(score.points) if score and score.points is not None else None,
            "max_points": float(score.maximum) if score else None,
        }
        rows.append({**row, **numbers})
    names = ["student", *_FIELDS, "assignment", "state", "points", "max_points"]
    frame = pd.DataFrame(rows, columns=names)
    texts = names[:-2]
    return frame.astype({**dict.fromkeys(texts, "string"), "points": "Float64", "max_points": "Float64"})
