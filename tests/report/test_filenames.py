"""Does every student get a file of their own, on every file system?"""

import pytest

from autograder.report.filenames import page_names

STRANGE = [
    "../../etc/passwd", "a/b", "a\\b", "CON", "con.backup", "index", "Index", "", ".", "..", "-rf", ".hidden",
    "x" * 400, "学" * 200, 'q"uo<te>', "semi;colon'", "new\nline", "nul\0byte", "\u202egnp.exe", "half \ud83d pair",
    "javascript:alert(1)", "a b", "a_b", "café", "cafe\u0301", "100%", "#top", "?query",
]  # fmt: skip


def test_page_names_are_readable_where_they_can_be():
    names = page_names(["alice-martin", "李雷", "nils eriksen", "o.brien"])
    assert names == {
        "alice-martin": "alice-martin.html",
        "李雷": "李雷.html",
        "nils eriksen": "nils_eriksen.html",
        "o.brien": "o.brien.html",
    }


@pytest.mark.parametrize("student", STRANGE, ids=repr)
def test_page_name_stays_in_its_folder_and_fits(student, tmp_path):
    (name,) = page_names([student]).values()
    path = tmp_path / name
    path.write_text("x", encoding="utf-8")
    assert path.resolve().parent == tmp_path.resolve()
    assert len(name.encode()) < 200
    assert not name.startswith((".", "-"))
    assert name.isprintable()
    assert not set(name) & set('\\/:*?"<>|%#&;')
    assert name.casefold() != "index.html"


def test_page_names_differ_in_more_than_case_and_do_not_depend_on_order():
    students = ["Bob", "bob", "BOB", *STRANGE]
    names = page_names(students)
    assert len({name.casefold() for name in names.values()}) == len(set(students))
    assert page_names(reversed(students)) == names
