"""Is a submission read whole, within bounds, and without reaching out of itself?"""

import io
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.notebook import files as files_module
from autograder.notebook.read import Unreadable, find, read

Make = Callable[..., bytes]


def archive_of(entries: dict[str, bytes], **options: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:  # type: ignore[arg-type]
        for name, contents in entries.items():
            archive.writestr(name, contents)
    return buffer.getvalue()


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert caught.value.student == path.stem
    assert caught.value.sentence.endswith(".")
    return caught.value.sentence


def test_read_takes_the_student_from_the_file_and_the_digest_from_the_contents(tmp_path: Path, notebook: Make) -> None:
    for name, source in (("ada.v2", "x = 1"), ("bob", "x = 1"), ("eve", "x = 2")):
        (tmp_path / f"{name}.ipynb").write_bytes(notebook(source))
    ada, bob, eve = (read(source) for source in find([tmp_path]))
    assert (ada.student, bob.student, eve.student) == ("ada.v2", "bob", "eve")
    assert ada.digest == bob.digest != eve.digest
    assert len(ada.digest) == 64
    assert ada.files == {}


def test_read_a_folder_keeps_its_other_files_by_path(tmp_path: Path, notebook: Make) -> None:
    folder = tmp_path / "李雷"
    (folder / "tools" / ".git").mkdir(parents=True)
    (folder / "hw.ipynb").write_bytes(notebook("from tools.layers import affine"))
    (folder / "tools" / "layers.py").write_bytes(b"affine = 1")
    (folder / "tools" / ".git" / "config").write_bytes(b"secret")
    (folder / "数据.csv").write_bytes(b"1,2")
    submission = read(folder)
    assert submission.student == "李雷"
    assert dict(submission.files) == {"tools/layers.py": b"affine = 1", "数据.csv": b"1,2"}


def test_read_digest_changes_with_every_part(tmp_path: Path, notebook: Make) -> None:
    digests = set()
    for number, helper in enumerate([("a.txt", b"bc"), ("ab.txt", b"c"), ("a.txt", b"b"), None]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "hw.ipynb").write_bytes(notebook("x = 1"))
        if helper is not None:
            (folder / helper[0]).write_bytes(helper[1])
        digests.add(read(folder).digest)
    assert len(digests) == 4


def test_read_says_why_and_keeps_the_digest_of_what_it_read(tmp_path: Path) -> None:
    (tmp_path / "ada.ipynb").write_bytes(b"hello")
    with pytest.raises(Unreadable) as caught:
        read(tmp_path / "ada.ipynb")
    assert caught.value.student == "ada"
    assert len(caught.value.digest) == 64


def test_read_a_folder_with_two_notebooks_names_them(tmp_path: Path, notebook: Make) -> None:
    folder = tmp_path / "ada"
    folder.mkdir()
    for name in ("first.ipynb", "second.ipynb"):
        (folder / name).write_bytes(notebook("x = 1"))
    assert "2 notebooks (first.ipynb, second.ipynb)" in refusal(folder)


def test_read_a_folder_without_a_notebook_says_so(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    assert "holds no notebook" in refusal(tmp_path / "ada")


def test_read_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "ada.ipynb")


def test_read_follows_no_link_out_of_the_folder(tmp_path: Path, notebook: Make) -> None:
    (tmp_path / "secret.txt").write_bytes(b"the course key")
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "hw.ipynb").write_bytes(notebook("x = 1"))
    (folder / "stolen.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "up").symlink_to(tmp_path)
    (folder / "round").symlink_to(folder)
    (folder / "nowhere").symlink_to(tmp_path / "nothing")
    (folder / "copy.ipynb.txt").symlink_to("hw.ipynb")
    assert set(read(folder).files) == {"copy.ipynb.txt"}


def test_read_refuses_a_submission_that_is_a_link_out_of_the_class(tmp_path: Path, notebook: Make) -> None:
    (tmp_path / "solution.ipynb").write_bytes(notebook("x = 1"))
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.ipynb").symlink_to(tmp_path / "solution.ipynb")
    (folder / "bob.ipynb").write_bytes(notebook("x = 1"))
    ada, bob = find([folder])
    assert read(bob).student == "bob"
    with pytest.raises(Unreadable, match="leads out of the submissions"):
        read(ada)


def test_read_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ada.ipynb")
    assert "no plain file" in refusal(tmp_path / "ada.ipynb")


@pytest.mark.parametrize(
    "name",
    ["../evil.py", "/etc/evil.py", "a/../../evil.py", "C:\\evil.py", "..\\evil.py"],
)
def test_read_refuses_an_archive_with_a_path_that_leads_out(tmp_path: Path, notebook: Make, name: str) -> None:
    (tmp_path / "ada.zip").write_bytes(archive_of({"hw.ipynb": notebook("x = 1"), name: b"x"}))
    assert "leads out" in refusal(tmp_path / "ada.zip")


def test_read_an_archive_passes_over_its_links(tmp_path: Path, notebook: Make) -> None:
    link = zipfile.ZipInfo("passwords.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "ada.zip", "w") as archive:
        archive.writestr("hw.ipynb", notebook("x = 1"))
        archive.writestr(link, "/etc/passwd")
    assert read(tmp_path / "ada.zip").files == {}


def test_read_an_archive_with_a_file_inside_of_a_file_is_refused(tmp_path: Path, notebook: Make) -> None:
    entries = {"hw.ipynb": notebook("x = 1"), "data": b"1", "data/x.csv": b"2"}
    (tmp_path / "ada.zip").write_bytes(archive_of(entries))
    assert "also a file" in refusal(tmp_path / "ada.zip")


def test_read_an_archive_packed_on_a_chinese_windows(tmp_path: Path, notebook: Make) -> None:
    raw = archive_of({"XXXX.ipynb": notebook("x = 1"), "YY\\YY.csv": b"1"})
    raw = raw.replace(b"XXXX", "作业".encode("gb18030")).replace(b"YY", "数".encode("gb18030"))
    (tmp_path / "ada.zip").write_bytes(raw)
    assert dict(read(tmp_path / "ada.zip").files) == {"数/数.csv": b"1"}


def test_read_stops_at_a_file_that_expands_beyond_its_limit(
    tmp_path: Path, notebook: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_FILE", 10_000)
    entries = {"hw.ipynb": notebook("x = 1"), "zeros.bin": bytes(10_001)}
    (tmp_path / "ada.zip").write_bytes(archive_of(entries, compression=zipfile.ZIP_DEFLATED))
    assert "larger than" in refusal(tmp_path / "ada.zip")


def test_read_stops_at_a_total_beyond_its_limit(
    tmp_path: Path, notebook: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_TOTAL", 25_000)
    entries = {"hw.ipynb": notebook("x = 1")} | {f"{n}.bin": bytes(10_000) for n in range(3)}
    (tmp_path / "ada.zip").write_bytes(archive_of(entries, compression=zipfile.ZIP_DEFLATED))
    assert "take more than" in refusal(tmp_path / "ada.zip")


def test_read_refuses_more_files_than_a_submission_has(tmp_path: Path, notebook: Make) -> None:
    entries = {"hw.ipynb": notebook("x = 1")} | {f"{n}.txt": b"" for n in range(files_module.MAX_FILES)}
    (tmp_path / "ada.zip").write_bytes(archive_of(entries))
    assert "2,001 files" in refusal(tmp_path / "ada.zip")


def test_read_refuses_a_compression_that_expands_without_bound(tmp_path: Path, notebook: Make) -> None:
    raw = archive_of({"hw.ipynb": notebook("x = 1"), "a.bin": bytes(100)}, compression=zipfile.ZIP_BZIP2)
    (tmp_path / "ada.zip").write_bytes(raw)
    assert "unusual compression" in refusal(tmp_path / "ada.zip")


SMALL = archive_of({"hw.ipynb": b'{"cells": []}', "a.csv": b"1,2"}, compression=zipfile.ZIP_DEFLATED)


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255), st.integers(0, len(SMALL)))
def test_read_a_damaged_archive_raises_nothing_else(place: int, byte: int, kept: int) -> None:
    damaged = bytearray(SMALL)
    damaged[place] = byte
    check_archive(bytes(damaged))
    check_archive(SMALL[:kept])


def check_archive(contents: bytes) -> None:
    """Readable within bounds, or refused."""
    try:
        held, refusal = files_module.of_zip(contents).read_all(), "."
    except files_module.Refused as error:
        held, refusal = {}, str(error)
    assert refusal.endswith(".")
    assert sum(map(len, held.values())) < 1000
