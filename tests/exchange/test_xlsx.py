"""Is the one column of a teacher's workbook filled, and everything else as it was?"""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.datavalidation import DataValidation

from autograder.course.errors import CourseError
from autograder.exchange.export import Wish, export_xlsx, people_xlsx
from autograder.exchange.model import GradeState, Refused, Score
from autograder.exchange.rosters import read_roster
from autograder.exchange.verify import verify

HUNDRED = Decimal(100)


def template(path: Path, **cells: Any) -> Path:
    """A name list as a grade system gives it: a title, a header in row 3, ids as text and as numbers."""
    book = Workbook()
    sheet = book.active
    sheet.title = "成绩录入"
    sheet["A1"] = "深度学习 成绩登记表"
    sheet.merge_cells("A1:F1")
    for column, name in enumerate(["序号", "学号", "姓名", "平时", "期末", "总评"], 1):
        sheet.cell(row=3, column=column, value=name)
    for row, (number, name) in enumerate([("0012", "李雷"), (20260003, "韩梅梅"), (14, "=1+1"), ("0099", "王芳")], 4):
        sheet.cell(row=row, column=1, value=row - 3)
        sheet.cell(row=row, column=2, value=number)
        cell = sheet.cell(row=row, column=3, value=name)
        cell.data_type = "s"
        sheet.cell(row=row, column=5, value=60)
        sheet.cell(row=row, column=6, value=f"=D{row}*0.4+E{row}*0.6")
    sheet["B6"].number_format = "0000"
    sheet["A9"] = "教师签名:"
    rule = DataValidation(type="list", formula1='"缺考,缓考"')
    rule.add("G4:G7")
    sheet.add_data_validation(rule)
    sheet.protection.sheet = True
    book.create_sheet("说明")["A1"] = "请勿修改"
    for place, value in cells.items():
        sheet[place] = value
    book.save(path)
    return path


def test_fill_writes_numbers_into_one_column_and_keeps_the_rest(tmp_path: Path) -> None:
    source, out = template(tmp_path / "template.xlsx"), tmp_path / "filled.xlsx"
    scores = [
        Score("0012", Decimal("84.5"), HUNDRED),
        Score("20260003", Decimal(90), HUNDRED),
        Score("0014", Decimal(0), HUNDRED),
        Score("王芳", None, HUNDRED, GradeState.UNREADABLE),
    ]
    done = export_xlsx(scores, source, out, Wish(column="平时", step=Decimal(1)))
    assert [each.cell for each in done.filled] == ["85", "90", "0"]
    before, after = load_workbook(source), load_workbook(out)
    sheet, old = after["成绩录入"], before["成绩录入"]
    assert [sheet.cell(row=row, column=4).value for row in range(4, 8)] == [85, 90, 0, None]
    changed = {
        cell.coordinate
        for row in sheet.iter_rows()
        for cell in row
        if (cell.value, cell.data_type, cell.number_format)
        != ((was := old[cell.coordinate]).value, was.data_type, was.number_format)
    }
    assert changed == {"D4", "D5", "D6"}
    assert (sheet["C6"].value, sheet["C6"].data_type) == ("=1+1", "s")
    assert (sheet["F4"].value, sheet["F4"].data_type) == ("=D4*0.4+E4*0.6", "f")
    assert sheet.protection.sheet
    assert [str(rule.sqref) for rule in sheet.data_validations.dataValidation] == ["G4:G7"]
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A1:F1"]
    assert after.sheetnames == ["成绩录入", "说明"]
    assert verify(out, out).differences == ()


def test_verify_of_a_workbook_tells_what_changed(tmp_path: Path) -> None:
    source, out = template(tmp_path / "template.xlsx"), tmp_path / "filled.xlsx"
    export_xlsx([Score("0012", Decimal("84.5"), HUNDRED)], source, out, Wish(column="平时"))
    assert verify(out, source).differences == (("0012", "84.5", ""),)


@pytest.mark.parametrize(
    ("column", "cells", "said"),
    [
        ("总评", {}, "F4 holds a formula"),
        ("平时", {"B7": "0012"}, "has the sis_id '0012' of row 2 too"),
        ("", {}, "name the one to fill with --assignment-column"),
        ("平实", {}, "has 0 columns '平实'"),
        ("平时", {"B3": "编号"}, "is in no sheet's first 40 rows"),
    ],
)
def test_a_template_is_refused(column: str, cells: dict[str, Any], said: str, tmp_path: Path) -> None:
    source = template(tmp_path / "template.xlsx", **cells)
    with pytest.raises(CourseError, match=said):
        export_xlsx([Score("0012", Decimal(1), HUNDRED)], source, tmp_path / "out.xlsx", Wish(column=column))
    assert not (tmp_path / "out.xlsx").exists()


def test_a_merged_cell_is_refused(tmp_path: Path) -> None:
    source = template(tmp_path / "template.xlsx")
    book = load_workbook(source)
    book["成绩录入"].merge_cells("C4:D4")
    book.save(source)
    with pytest.raises(Refused, match="D4 is part of a merged cell"):
        export_xlsx([Score("0012", Decimal(1), HUNDRED)], source, tmp_path / "out.xlsx", Wish(column="平时"))


def test_the_template_itself_is_not_overwritten(tmp_path: Path) -> None:
    source = template(tmp_path / "template.xlsx")
    with pytest.raises(CourseError, match="--out is the roster itself"):
        export_xlsx([Score("0012", Decimal(1), HUNDRED)], source, source, Wish(column="平时"))


@pytest.mark.parametrize(
    ("contents", "said"),
    [(b"\xd0\xcf\x11\xe0", "old Excel file"), (b"<html>", "a web page"), (b"PK\x03\x04broken", "is no workbook")],
    ids=["xls", "html", "broken"],
)
def test_a_file_that_only_looks_like_a_workbook_is_refused(contents: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    path.write_bytes(contents)
    with pytest.raises(CourseError, match=said):
        read_roster(path)


def test_people_get_texts_as_texts(tmp_path: Path) -> None:
    scores = [
        Score("=cmd|' /C calc'!A0", Decimal("1.5"), HUNDRED),
        Score("0012\x01", Decimal(2), HUNDRED),
        Score("@x", None, HUNDRED, GradeState.PENDING_MANUAL),
    ]
    out = tmp_path / "people.xlsx"
    assert people_xlsx(scores, None, out, Wish()) == 3
    sheet = load_workbook(io.BytesIO(out.read_bytes())).active
    cells = [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[0] for row in cells] == [("=cmd|' /C calc'!A0", "s"), ("0012\ufffd", "s"), ("@x", "s")]
    assert [row[7] for row in cells] == [(1.5, "n"), (2, "n"), (None, "n")]
    assert cells[2][6] == ("pending manual", "s")
