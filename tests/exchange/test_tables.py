"""Is a table given back in the form it came in, and is nothing taken for a table that is none?"""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.errors import CourseError
from autograder.exchange.tables import Form, Table, calm, read_table

CLASS = '学号,姓名,HW1\n0012,"李雷, Jr.",9\n0013,"a ""b""\nc",8\n'
FORMS = {
    "utf-8": CLASS.encode(),
    "utf-8 with a mark": codecs.BOM_UTF8 + CLASS.encode(),
    "windows line ends": CLASS.replace('"a ""b""\nc"', "韩").replace("\n", "\r\n").encode(),
    "old mac line ends": CLASS.replace('"a ""b""\nc"', "韩").replace("\n", "\r").encode(),
    "utf-16 of excel": codecs.BOM_UTF16_LE
    + CLASS.replace('"李雷, Jr."', "李雷").replace(",", "\t").encode("utf-16-le"),
    "utf-16 big end": codecs.BOM_UTF16_BE + CLASS.encode("utf-16-be"),
    "gb18030": CLASS.encode("gb18030"),
    "semicolons": CLASS.replace(",", ";").replace('"李雷; Jr."', '"李雷; Jr."').encode(),
    "all quoted": b'"Last Name","Username","HW1 |1"\n"Doe","jd","1"\n"M\xc3\xbcller, J","jm",""\n',
    "colons": b"login:name\nu1:Ada\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_read_table_and_encoded_are_inverse_in(name: str) -> None:
    assert read_table(FORMS[name]).encoded() == FORMS[name]


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=3, max_size=3),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from(["utf-8", "utf-16-le"]),
    st.sampled_from(",;\t"),
)
def test_any_cells_come_back(cells: list[list[str]], encoding: str, delimiter: str) -> None:
    """After a header that says what divides: without one a text of commas and semicolons may mean anything."""
    rows = (("Student", "ID", "Section"), *map(tuple, cells))
    kept = tuple(row for row in rows if any(cell.strip() for cell in row))
    written = Table(rows, Form(encoding, mark=True, delimiter=delimiter)).encoded()
    back = read_table(written)
    assert back.rows == kept
    assert back.form.delimiter == delimiter


def test_titles_full_of_other_delimiters_do_not_change_what_divides() -> None:
    text = "Login;HW <Numeric MaxPoints:100 Weight:10>;a, b, c, d\nu1;1;2\nu2;;\n"
    assert read_table(text.encode()).header == ("Login", "HW <Numeric MaxPoints:100 Weight:10>", "a, b, c, d")


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"\xd0\xcf\x11\xe0rest", "old Excel file"),
        (b"PK\x03\x04rest", "an Excel file"),
        (b"\n<html><table>", "a web page"),
        (b"name,id\nM\xfcller,1\n", "name its encoding with --encoding"),
        (b"\xff", "name its encoding with --encoding"),
        (b" \n,\n", "holds no row"),
        (b'a,b\n"c,d\n', "is no table"),
        (b"a,b\nc\0d,1\n" * 9, "name its encoding"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_read_table_refuses(contents: bytes, said: str) -> None:
    with pytest.raises(CourseError, match=said):
        read_table(contents)


def test_an_encoding_that_is_named_is_used_and_kept(tmp_path: Path) -> None:
    contents = b"name,id\nM\xfcller,1\n"
    path = tmp_path / "roster.csv"
    path.write_bytes(contents)
    table = read_table(path, encoding="cp1252")
    assert table.rows[1] == ("Müller", "1")
    assert table.encoded() == contents
    with pytest.raises(CourseError, match="no encoding 'klingon'"):
        read_table(path, encoding="klingon")


def test_a_letter_outside_of_the_encoding_is_said() -> None:
    with pytest.raises(CourseError, match=r"'李' cannot be written in cp1252"):
        Table((("李",),), Form("cp1252")).encoded()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_calm_text_is_no_formula(text: str) -> None:
    assert calm(text)[0] == " "
    assert calm(text)[1:] == text


def test_calm_leaves_other_text_alone() -> None:
    assert [calm(text) for text in ("well done", "", "a=b", "'quoted'")] == ["well done", "", "a=b", "'quoted'"]
