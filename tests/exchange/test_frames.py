"""Do pandas' tables hold every student unaltered, and no number that nobody gave?"""

import io
from decimal import Decimal

import pandas as pd
import pytest

from autograder.exchange.export import pairs_of
from autograder.exchange.frames import csv_bytes, parquet_bytes
from autograder.exchange.model import GradeState, Refused, Roster, Score, Student

NAMES = ('Smith, "Jane"', "two\nlines", "=1+1", "０１２", "👩‍🎓", "C:\\", "李雷")
ROSTER = Roster(tuple(Student(row, login=f"00{row}", names=(name,)) for row, name in enumerate(NAMES)))
SCORES = [
    Score("000", Decimal("0"), Decimal(20)),
    Score("001", Decimal("12.3456789"), Decimal(20)),
    Score("002", None, Decimal(20), GradeState.UNREADABLE),
    Score("003", None, Decimal(20), GradeState.PENDING_MANUAL),
]


def test_csv_and_parquet_hold_the_same_and_nothing_is_altered() -> None:
    pairs = pairs_of(SCORES, ROSTER)
    texts = {"student": "string", "login": "string", "name": "string", "state": "string"}
    read = pd.read_csv(
        io.BytesIO(csv_bytes(pairs, "hw1")), dtype=texts, keep_default_na=False, na_values={"points": ""}
    )
    stored = pd.read_parquet(io.BytesIO(parquet_bytes(pairs, "hw1")))
    for frame in (read, stored):
        assert tuple(frame["name"]) == NAMES
        assert list(frame["login"]) == [f"00{row}" for row in range(len(NAMES))]
        assert list(frame["state"]) == ["graded", "graded", "unreadable", "pending_manual", *["missing"] * 3]
        assert list(frame["points"].dropna()) == [0.0, 12.3456789]
        assert list(frame["points"].isna()) == [False, False, *[True] * 5]


def test_without_a_roster_students_are_those_of_the_results() -> None:
    frame = pd.read_csv(io.BytesIO(csv_bytes(pairs_of(SCORES, None), "")), dtype={"student": "string"})
    assert list(frame["student"]) == ["000", "001", "002", "003"]


def test_a_result_of_nobody_is_refused() -> None:
    with pytest.raises(Refused, match="unmatched: who"):
        pairs_of([Score("who", Decimal(1), Decimal(20))], ROSTER)
    assert len(pairs_of([Score("who", Decimal(1), Decimal(20))], ROSTER, ["who"])) == len(NAMES)
    with pytest.raises(Refused, match="duplicate: 000"):
        pairs_of([SCORES[0], SCORES[0]], None)
