"""Is what is sent, letter by letter, what each LMS's rules ask for? Inputs are as its own export writes them."""

import textwrap
from decimal import Decimal
from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.exchange.export import Wish, export_lms
from autograder.exchange.model import GradeState, Refused, Score
from autograder.exchange.rosters import read_roster

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW1 (12345),HW2 (12346),Final Grade project (12),Assignments Current Score
,,,,,Manual Posting,,,
    Points Possible,,,,,100.00,10.00,5.00,(read only)
"Doe, Jane",987,S123,jdoe,Sec 1,91.50,3,,90
"李, 雷",988,S0124,lilei,Sec 1,,,,
"Roe, Rick",989,S125,rroe,"Sec 1, Sec 2",N/A,4,,
"Student, Test",990,,5ea6,Sec 1,,,,
"""
MOODLE = (
    '"First name","Last name","ID number",Institution,Department,"Email address","Assignment: HW1: Sorting (Real)",'
    '"Assignment: HW1: Sorting (Feedback)","Course total (Real)","Last downloaded from this course"\n'
    'Jane,Doe,0012,,,jane@example.edu,50.00,"use C:\\dir",50.00,1764000000\n'
    "雷,李,0013,,,Lei@example.edu,-,,-,1764000000\n"
)
BLACKBOARD = (
    '"Last Name","First Name","Username","Student ID","Last Access","Availability",'
    '"HW1 [Total Pts: 100 Score] |664617","Weighted Total [Total Pts: up to 0 Percentage] |664001"\n'
    '"Doe","Jane","jdoe","0012","2026-11-20","Yes","55","7"\n'
    '"李","雷","lilei","0013","2026-11-20","Yes","","8"\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Last Name,HW1 Points Grade <Numeric MaxPoints:100 Weight:10 Category:Homework "
    "CategoryWeight:40>,HW2 Points Grade <Numeric MaxPoints:10>,End-of-Line Indicator\n"
    "#20067930,#frank.catcher,Catcher,44,3,#\n#0020067931,#li.lei,李,,4,#\n"
)
SAKAI = (
    '\ufeffStudent ID,Student Name,HW1 [100],* HW1,HW2 [10],# Section\njdoe,"Doe, Jane",5,ok,1,A\nlilei,李雷,,,2,A\n'
)


def graded(student: str, points: str, *, maximum: str = "100", comment: str = "") -> Score:
    return Score(student, Decimal(points), Decimal(maximum), comment=comment)


def sent(lms: str, roster: str, scores: list[Score], tmp_path: Path, **wishes: object) -> str:
    """What is written, as text with its byte order mark and line ends."""
    path, out = tmp_path / "roster.csv", tmp_path / "sent.csv"
    path.write_bytes(roster.encode())
    export_lms(lms, scores, path, out, Wish(**wishes))  # type: ignore[arg-type]
    return out.read_bytes().decode()


def test_canvas_gets_its_identities_the_points_row_and_the_one_column(tmp_path: Path) -> None:
    scores = [graded("lilei", "84.995"), graded("987", "91"), Score("S125", None, Decimal(100), GradeState.MISSING)]
    assert sent("canvas", CANVAS, scores, tmp_path, column="HW1") == textwrap.dedent("""\
        Student,ID,SIS User ID,SIS Login ID,Section,HW1 (12345)
            Points Possible,,,,,100.00
        "Doe, Jane",987,S123,jdoe,Sec 1,91
        "李, 雷",988,S0124,lilei,Sec 1,85
    """)


def test_canvas_gets_ex_for_the_excused(tmp_path: Path) -> None:
    scores = [Score("jdoe", None, Decimal(10), GradeState.EXCUSED), graded("lilei", "0", maximum="10")]
    lines = sent("canvas", CANVAS, scores, tmp_path, column="12346").splitlines()
    assert [line.rpartition(",")[2] for line in lines] == ["HW2 (12346)", "10.00", "EX", "0"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("Final Grade project", "takes no grades: Canvas takes every header with these words for a total"),
        ("Assignments Current Score", "takes no grades"),
        ("HW3", r"has no column 'HW3' \(did you mean 'HW[12]'"),
        ("", "has 2 grade columns, HW1, HW2: name one with --assignment-column"),
    ],
)
def test_canvas_refuses_the_column(column: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=said):
        sent("canvas", CANVAS, [graded("jdoe", "1")], tmp_path, column=column)


def test_canvas_refuses_a_grade_that_would_be_ignored(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="unassigned: Roe, Rick"):
        sent("canvas", CANVAS, [graded("rroe", "1")], tmp_path, column="HW1")


def test_canvas_refuses_a_first_row_by_which_it_would_guess_commas(tmp_path: Path) -> None:
    roster = CANVAS.replace('"Doe, Jane"', '"Doe\n, Jane"').replace(",", ";").replace("Doe\n;", "Doe\n,")
    with pytest.raises(Refused, match=r"line break: [^.]* would misread the semicolons"):
        sent("canvas", roster, [graded("jdoe", "1")], tmp_path, column="HW1")
    lines = sent("canvas", roster, [graded("jdoe", "1"), graded("lilei", "2")], tmp_path, column="HW1").splitlines()
    assert lines[2].startswith('"李; 雷"')


def test_moodle_gets_one_identity_and_the_grade(tmp_path: Path) -> None:
    scores = [graded("0013", "0"), graded("jane@EXAMPLE.edu", "17.5")]
    assert sent("moodle", MOODLE, scores, tmp_path) == (
        "ID number,Assignment: HW1: Sorting (Real)\n0012,17.5\n0013,0\n"
    )


def test_moodle_takes_addresses_where_an_id_is_blank(tmp_path: Path) -> None:
    roster = MOODLE.replace(",0012,", ",,")
    text = sent("moodle", roster, [graded("0013", "1"), graded("jane@example.edu", "2")], tmp_path)
    assert text.splitlines() == [
        "Email address,Assignment: HW1: Sorting (Real)", "jane@example.edu,2", "Lei@example.edu,1",
    ]  # fmt: skip


def test_moodle_gets_feedback_that_no_backslash_breaks_and_no_spreadsheet_runs(tmp_path: Path) -> None:
    scores = [graded("0012", "1", comment="use C:\\dir\\"), graded("0013", "2", comment='=1+1, "\\"')]
    assert sent("moodle", MOODLE, scores, tmp_path) == (
        "ID number,Assignment: HW1: Sorting (Real),HW1: Sorting feedback\n"
        '0012,1,use C:\\dir\\ \n0013,2," =1+1, ""\\ """\n'
    )


def test_moodle_would_erase_feedback_where_some_is_blank(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="Moodle would erase"):
        sent("moodle", MOODLE, [graded("0012", "1", comment="good"), graded("0013", "2")], tmp_path)


def test_moodle_refuses_what_hides_in_an_identity(tmp_path: Path) -> None:
    roster = MOODLE.replace(",0012,", ",00\u200b12,")
    with pytest.raises(Refused, match=r"'\\u200b' in 'ID number'"):
        sent("moodle", roster, [graded("jane@example.edu", "1")], tmp_path)


def test_moodle_refuses_an_identity_that_ends_in_a_backslash_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"identity: Jane Doe [^\n]* in 'ID number', which Moodle refuses or mangles"):
        sent("moodle", MOODLE.replace(",0012,", ",DOM\\,"), [graded("jane@example.edu", "1")], tmp_path)
    text = sent("moodle", MOODLE.replace(",0012,", ",DOM\\jane,"), [graded("jane@example.edu", "1")], tmp_path)
    assert text.endswith("\nDOM\\jane,1\n")


def test_moodle_without_a_grade_column_takes_the_name_of_a_new_one(tmp_path: Path) -> None:
    roster = "Username,First name,Last name,Email address\njdoe,Jane,Doe,j@example.edu\n"
    assert sent("moodle", roster, [graded("jdoe", "1")], tmp_path, column="HW9") == "Username,HW9\njdoe,1\n"
    with pytest.raises(CourseError, match="say with --assignment-column"):
        sent("moodle", roster, [graded("jdoe", "1")], tmp_path)


def test_blackboard_gets_its_form_back_without_access_and_other_grades(tmp_path: Path) -> None:
    text = sent("blackboard", BLACKBOARD, [graded("lilei", "12.345"), graded("jdoe", "100")], tmp_path, column="664617")
    assert text == (
        '"Last Name","First Name","Username","Student ID","HW1 [Total Pts: 100 Score] |664617"\n'
        '"Doe","Jane","jdoe","0012","100"\n"李","雷","lilei","0013","12.35"\n'
    )


@pytest.mark.parametrize(
    ("header", "maximum"),
    [
        ("HW1 [Puntos totales: hasta 60 Puntuación] |1", Decimal(60)),
        ("HW1 [Total Pts: 10] |1", Decimal(10)),
        ("HW1 [Total Pts: up to 0 Percentage] |1", None),
        ("HW1 |1", None),
        ("Sort [fast] [Total Pts: 7.5 Score] |1", Decimal("7.5")),
    ],
)
def test_blackboard_maximum_is_read_in_any_language(header: str, maximum: Decimal | None, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(f'"Username","{header}"\n"jdoe","1"\n', encoding="utf-8")
    name, book = read_roster(path)
    assert (name, book.columns[0].maximum, book.columns[0].id) == ("blackboard", maximum, "1")


def test_brightspace_gets_keys_as_they_came_and_its_end(tmp_path: Path) -> None:
    text = sent("brightspace", BRIGHTSPACE, [graded("0020067931", "5", maximum="10")], tmp_path, column="HW2")
    assert text == (
        "OrgDefinedId,Username,HW2 Points Grade <Numeric MaxPoints:10>,End-of-Line Indicator\n#0020067931,#li.lei,5,#\n"
    )


def test_sakai_gets_id_name_item_and_comments(tmp_path: Path) -> None:
    scores = [graded("jdoe", "5", comment="=cmd()"), graded("lilei", "6.25")]
    assert sent("sakai", SAKAI, scores, tmp_path, column="HW1") == (
        '\ufeffStudent ID,Student Name,HW1 [100],* HW1\njdoe,"Doe, Jane",5, =cmd()\nlilei,李雷,6.25,\n'
    )


def test_sakai_gets_a_decimal_comma_between_semicolons(tmp_path: Path) -> None:
    roster = SAKAI.replace('"Doe, Jane"', "Doe").replace(",", ";")
    assert "lilei;李雷;6,25" in sent("sakai", roster, [graded("lilei", "6.25")], tmp_path, column="HW1")


@pytest.mark.parametrize(
    ("lms", "roster"),
    [
        ("canvas", CANVAS), ("moodle", MOODLE), ("blackboard", BLACKBOARD), ("brightspace", BRIGHTSPACE),
        ("sakai", SAKAI), ("gradescope", "First Name,Last Name,SID,Email,Sections\nJane,Doe,0012,j@example.edu,A\n"),
        ("plain", "学号,姓名\n0012,李雷\n"),
    ],
    ids=lambda value: str(value)[:11],
)  # fmt: skip
def test_read_roster_knows_whose_export_it_is(lms: str, roster: str, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(roster.encode())
    name, book = read_roster(path)
    assert name == lms
    assert all(student.name for student in book.roster)
    assert book.roster.key_field
    with pytest.raises(CourseError, match=r"roster\.csv: .*export it again|has none of|no column|is no list|is known"):
        read_roster(path, lms="canvas" if lms != "canvas" else "brightspace")


def test_an_export_of_another_lms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="this is no gradebook of Canvas"):
        sent("canvas", MOODLE, [graded("0012", "1")], tmp_path)
