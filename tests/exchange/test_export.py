"""What is refused, with which list, and what is left out?"""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.errors import CourseError
from autograder.exchange.export import Wish, export_lms, rounded
from autograder.exchange.model import GradeState, Refused, Score, number
from autograder.exchange.verify import verify

ROSTER = (
    "OrgDefinedId,Username,First Name,Last Name,HW1 Points Grade <Numeric MaxPoints:100>,End-of-Line Indicator\n"
    "#001,#ada,Ada,Lovelace,7,#\n#002,#bob,Bob,Smith,,#\n#003,#bob2,Bob,Smith,8,#\n#004,#eve,Eve,Adams,,#\n"
)
HUNDRED = Decimal(100)


def export(scores: list[Score], tmp_path: Path, roster: str = ROSTER, **wishes: object) -> Path:
    path, out = tmp_path / "roster.csv", tmp_path / "sent.csv"
    path.write_text(roster, encoding="utf-8")
    export_lms("brightspace", scores, path, out, Wish(**wishes))  # type: ignore[arg-type]
    return out


def test_every_trouble_is_listed_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    scores = [
        Score("ada", Decimal("100.004"), HUNDRED),
        Score("Bob Smith", Decimal(1), HUNDRED),
        Score("Scan_20260314", Decimal(2), HUNDRED),
        Score("eve", Decimal(3), HUNDRED),
        Score("004", Decimal(4), HUNDRED),
        Score("bob2", Decimal(-1), HUNDRED),
        Score("002", Decimal("101"), HUNDRED),
    ]
    with pytest.raises(Refused) as refused:
        export(scores, tmp_path)
    assert sorted((each.kind, each.who) for each in refused.value.troubles) == [
        ("ambiguous", "Bob Smith"),
        ("duplicate", "Eve Adams (eve)"),
        ("negative", "Bob Smith (bob2)"),
        ("over maximum", "Bob Smith (bob)"),
        ("unmatched", "Scan_20260314"),
    ]
    assert "nothing was written, 5 to be put right first:" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["roster.csv"]


def test_what_is_no_number_is_left_out_and_said(tmp_path: Path) -> None:
    states = [GradeState.PENDING_MANUAL, GradeState.EXCUSED, GradeState.UNREADABLE]
    scores = [Score(name, None, HUNDRED, state) for name, state in zip(("bob", "bob2", "eve"), states, strict=True)]
    out = export([Score("ada", Decimal(0), HUNDRED), *scores], tmp_path)
    assert out.read_text(encoding="utf-8").splitlines()[1:] == ["#001,#ada,0,#"]
    sidecar = json.loads(out.with_name("sent.csv.sent.json").read_text(encoding="utf-8"))
    assert sidecar["counts"] == {"sent": 1, "pending_manual": 1, "excused": 1, "unreadable": 1}
    assert sidecar["sent"] == {"ada": "0"}
    assert sidecar["kept"] == {"bob2": "8"}


def test_students_without_a_result_are_left_out(tmp_path: Path) -> None:
    out = export([Score("eve", Decimal(1), HUNDRED)], tmp_path)
    assert out.read_text(encoding="utf-8").count("\n") == 2


def test_a_class_without_any_number_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nobody has a grade to be sent: 1 pending manual, 3 missing"):
        export([Score("eve", None, HUNDRED, GradeState.PENDING_MANUAL)], tmp_path)


def test_a_score_cannot_be_ungraded_and_a_number() -> None:
    with pytest.raises(ValueError, match="is missing with points 0"):
        Score("eve", Decimal(0), HUNDRED, GradeState.MISSING)
    with pytest.raises(ValueError, match="is graded with points None"):
        Score("eve", None, HUNDRED)


def test_another_maximum_is_said_once_and_scaled_on_demand(tmp_path: Path) -> None:
    scores = [Score("ada", Decimal(25), Decimal(30)), Score("eve", Decimal(30), Decimal(30))]
    with pytest.raises(Refused) as refused:
        export(scores, tmp_path)
    assert [(each.kind, each.who) for each in refused.value.troubles] == [("maximum", "HW1")]
    out = export(scores, tmp_path, rescale=True)
    assert [line.split(",")[2] for line in out.read_text(encoding="utf-8").splitlines()[1:]] == ["83.33", "100"]


def test_leave_out_is_for_names_in_the_results(tmp_path: Path) -> None:
    scores = [Score("ada", Decimal(1), HUNDRED), Score("Scan_1", Decimal(1), HUNDRED)]
    assert export(scores, tmp_path, leave_out=("scan_1",)).exists()
    with pytest.raises(CourseError, match="'Scan_2' is nobody in the results"):
        export(scores, tmp_path, leave_out=("Scan_2",))


def test_two_rows_of_one_identity_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"duplicate: Bob Smith \(bob2\): row 4 has the sis_id '002' of row 3 too"):
        export([Score("ada", Decimal(1), HUNDRED)], tmp_path, ROSTER.replace("#003", "#002"))


def test_an_identity_of_one_that_is_another_s_login_is_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="ambiguous: 002"):
        export([Score("002", Decimal(1), HUNDRED)], tmp_path, ROSTER.replace("#eve", "#002"))


def test_full_width_digits_are_not_taken_for_digits(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="unmatched: ００１"):
        export([Score("００１", Decimal(1), HUNDRED)], tmp_path)


def test_a_name_in_another_unicode_form_is_the_same(tmp_path: Path) -> None:
    out = export([Score("Zoe\u0308  LOVELACE", Decimal(1), HUNDRED)], tmp_path, ROSTER.replace("Ada", "Zo\u00eb"))
    assert "#001" in out.read_text(encoding="utf-8")


def test_an_out_of_another_kind_is_refused(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER, encoding="utf-8")
    with pytest.raises(CourseError, match=r"brightspace takes names that end in \.csv, \.tsv, \.txt"):
        export_lms("brightspace", [Score("ada", Decimal(1), HUNDRED)], roster, tmp_path / "x.xlsx", Wish())


@pytest.mark.parametrize(
    ("points", "step", "expected"),
    [("84.5", "1", "85"), ("85.5", "1", "86"), ("84.25", "0.5", "84.5"), ("1.005", "0.01", "1.01"), ("0", "1", "0")],
)
def test_rounded_takes_halves_up(points: str, step: str, expected: str) -> None:
    assert rounded(Decimal(points), Decimal(step)) == Decimal(expected)


@given(st.decimals(0, 1000, places=6), st.sampled_from(["0.01", "0.5", "1", "0.1"]))
def test_rounded_is_the_nearest_multiple(points: Decimal, step: str) -> None:
    found = rounded(points, Decimal(step))
    assert found % Decimal(step) == 0
    assert abs(found - points) * 2 <= Decimal(step)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12,5", "12.5"), (" 7. ", "7"), (".5", "0.5"), ("-3", "-3"), ("+4", "4"), ("", None), ("-", None), ("EX", None),
     ("１２", None), ("1e1", None), ("1,000.0", None)],
)  # fmt: skip
def test_number_reads_plain_numbers_only(cell: str, value: str | None) -> None:
    assert number(cell) == (None if value is None else Decimal(value))


def test_verify_tells_a_grade_that_vanished_and_one_that_was_not_sent(tmp_path: Path) -> None:
    out = export([Score("ada", Decimal(9), HUNDRED), Score("eve", Decimal(1), HUNDRED)], tmp_path)
    after = tmp_path / "after.csv"
    arrived = ROSTER.replace(",7,#", ",9.00,#").replace("Adams,,#", "Adams,1.00,#")
    after.write_text(arrived, encoding="utf-8")
    assert verify(out, after).differences == ()
    assert verify(out, after).right == 3
    lost = arrived.replace(",8,#", ",,#").replace("#004,#eve,Eve,Adams,1.00,#\n", "")
    after.write_text(lost, encoding="utf-8")
    assert verify(out, after).differences == (("eve", "1", "no such student"), ("bob2", "8", ""))


def test_verify_refuses_a_file_that_was_opened_and_saved(tmp_path: Path) -> None:
    out = export([Score("ada", Decimal(9), HUNDRED)], tmp_path)
    out.write_text(out.read_text(encoding="utf-8").replace("001", "1"), encoding="utf-8")
    with pytest.raises(CourseError, match="has been opened and saved since"):
        verify(out, tmp_path / "roster.csv")
    with pytest.raises(CourseError, match="does not exist: it is written beside every export"):
        verify(tmp_path / "roster.csv", out)
