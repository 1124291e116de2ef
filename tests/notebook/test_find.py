"""Which submissions do the paths on a command line mean?"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course.errors import CourseError
from autograder.notebook.read import find, read

Make = Callable[..., bytes]


def plant(root: Path, files: dict[str, bytes]) -> Path:
    """Write files under a folder, and return it."""
    root.mkdir(exist_ok=True)
    for name, contents in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return root


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    return path


def students(*paths: Path) -> list[str]:
    return [source.student for source in find(paths)]


def test_find_in_a_collection_sees_every_kind_and_passes_over_the_rest(tmp_path: Path, notebook: Make) -> None:
    plant(
        tmp_path,
        {
            "bob.ipynb": notebook("x = 1"),
            "ada.py": b"x = 1",
            "李雷/作业.ipynb": notebook("x = 1"),
            "empty.ipynb": b"",
            "README.md": b"read me",
            "expected.toml": b"",
            ".hidden.ipynb": notebook("x = 1"),
            ".ipynb_checkpoints/bob-checkpoint.ipynb": notebook("x = 1"),
            "__MACOSX/._bob.ipynb": b"x",
            "nothing/notes.txt": b"I will hand it in later",
        },
    )
    packed(tmp_path / "eve.zip", {"hw.ipynb": notebook("x = 1")})
    assert students(tmp_path) == ["ada", "bob", "empty", "eve", "nothing", "李雷"]


def test_find_in_an_archive_of_submissions_is_the_same_as_in_the_folder(tmp_path: Path, notebook: Make) -> None:
    inner = packed(tmp_path / "inner.zip", {"hw/hw.ipynb": notebook("z = 1")}).read_bytes()
    files = {
        "class/bob.ipynb": notebook("x = 1"),
        "class/ada/hw.py": b"from helper import y",
        "class/ada/helper.py": b"y = 1",
        "class/eve.zip": inner,
        "class/README.md": b"read me",
        "__MACOSX/class/._bob.ipynb": b"x",
    }
    archive = packed(tmp_path / "moodle.zip", files)
    folder = plant(tmp_path / "folder", files) / "class"
    from_archive, from_folder = find([archive]), find([folder])
    assert [source.student for source in from_archive] == ["ada", "bob", "eve"]
    for one, other in zip(from_archive, from_folder, strict=True):
        assert (read(one).digest, read(one).cells, read(one).files) == (
            read(other).digest,
            read(other).cells,
            read(other).files,
        )
    assert dict(read(from_archive[0]).files) == {"helper.py": b"y = 1"}


@pytest.mark.parametrize(
    "files",
    [
        {"hw.ipynb": b"", "data.csv": b"1,2"},
        {"hw.py": b"x = 1", "weights/w.npy": b"1"},
        {"hw.ipynb": b'{"cells": [{"source": "import helpers"}]}', "helpers.py": b"", "unused.py": b""},
        {"main.py": b"from layers import affine", "layers.py": b""},
        {"hw.ipynb": b'{"cells": [{"source": "from tools import f"}]}', "tools/__init__.py": b""},
    ],
    ids=["notebook and data", "script and data", "notebook and module", "script and module", "package"],
)
def test_find_takes_a_folder_with_one_notebook_and_helpers_as_one(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert students(plant(tmp_path / "grace", files)) == ["grace"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"ada.ipynb": b"", "bob.py": b""}, ["ada", "bob"]),
        ({"ada.py": b"import numpy", "bob.py": b"import numpy"}, ["ada", "bob"]),
        ({"ada.ipynb": b"", "bob/hw.ipynb": b""}, ["ada", "bob"]),
        ({"ada/hw.ipynb": b""}, ["ada"]),
    ],
    ids=["notebook and script", "two scripts", "notebook and folder", "one folder"],
)
def test_find_takes_files_that_do_not_import_each_other_as_a_class(
    tmp_path: Path, files: dict[str, bytes], expected: list[str]
) -> None:
    assert students(plant(tmp_path / "class", files)) == expected


def test_find_takes_a_link_out_of_the_folder_as_an_entry_of_a_class(tmp_path: Path, notebook: Make) -> None:
    folder = plant(tmp_path / "class", {"bob.ipynb": notebook("x = 1")})
    (tmp_path / "solution.ipynb").write_bytes(notebook("x = 1"))
    (folder / "ada.ipynb").symlink_to(tmp_path / "solution.ipynb")
    assert students(folder) == ["ada", "bob"]


def test_find_takes_several_paths_and_each_once(tmp_path: Path, notebook: Make) -> None:
    ada, bob = tmp_path / "ada.ipynb", tmp_path / "bob.ipynb"
    ada.write_bytes(notebook("x = 1"))
    bob.write_bytes(notebook("x = 1"))
    assert students(bob, ada, tmp_path / "." / "ada.ipynb") == ["ada", "bob"]


def test_find_names_both_submissions_of_one_student(tmp_path: Path, notebook: Make) -> None:
    plant(tmp_path, {"ada.ipynb": notebook("x = 1"), "ada/hw.ipynb": notebook("x = 2")})
    with pytest.raises(CourseError, match=r"'ada', \S+/ada and \S+/ada\.ipynb:"):
        find([tmp_path])


def test_find_takes_two_spellings_of_one_name_as_one_student(tmp_path: Path, notebook: Make) -> None:
    plant(tmp_path, {"a/Jos\u00e9.ipynb": notebook("x = 1"), "b/Jose\u0301.ipynb": notebook("x = 2")})
    with pytest.raises(CourseError, match="Jos\u00e9"):
        find([tmp_path / "a/Jos\u00e9.ipynb", tmp_path / "b/Jose\u0301.ipynb"])


@pytest.mark.parametrize(
    ("name", "word"),
    [("missing.ipynb", "does not exist"), ("notes.txt", "no submission"), ("hollow", "holds no submission")],
)
def test_find_of_a_path_without_submission_says_so(tmp_path: Path, name: str, word: str) -> None:
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "hollow").mkdir()
    with pytest.raises(CourseError, match=word):
        find([tmp_path / name])


def test_find_of_a_link_to_itself_says_that_it_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "ada.ipynb").symlink_to("ada.ipynb")
    with pytest.raises(CourseError, match="does not exist"):
        find([tmp_path / "ada.ipynb"])


def test_find_of_a_name_longer_than_any_file_says_that_it_does_not_exist() -> None:
    with pytest.raises(CourseError, match="does not exist"):
        find([Path("a" * 5000)])


def test_find_of_a_damaged_archive_of_a_class_says_so(tmp_path: Path) -> None:
    (tmp_path / "class.zip").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(CourseError, match="damaged"):
        find([tmp_path / "class.zip"])
