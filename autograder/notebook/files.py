"""Which files lie in a folder or a zip, and what do they hold?

Everything here was made by students. Nothing is executed or unpacked to disk; no link is followed out
of a folder; no path leads out of an archive; every size is capped while reading, whatever an archive
claims about itself.
"""

import hashlib
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# A notebook with pictures takes a few MiB, one with a video tens; a larger file is a data set, which
# belongs to the assignment and not into each submission.
MAX_FILE = 64 * 2**20  # bytes
MAX_TOTAL = 256 * 2**20  # bytes of one submission, archives expanded
MAX_FILES = 2_000  # of one submission; a virtual environment handed in by accident holds ten times that
MAX_LISTED = 200_000  # entries of one folder or archive of submissions: a class of thousands
MAX_NAME = 255  # bytes of one part of a path, as file systems have it
# What Python unpacks in bounded memory; from 1 MiB of bzip2 it would make a terabyte before it looks.
_BOUNDED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_IGNORED = frozenset({"__MACOSX", "__pycache__"})
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, and NotImplementedError: an unknown compression
    ValueError,
)


class Refused(ValueError):
    """These files are not read; the message says why and what to do."""


@dataclass(frozen=True)
class Listing:
    """The files of a folder or an archive, by their path in it, sorted; `read` returns the bytes of one."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]

    def below(self, prefix: str) -> "Listing":
        """The files under a folder, by their path in that folder."""
        start = f"{prefix}/"
        names = tuple(name.removeprefix(start) for name in self.names if name.startswith(start))
        return Listing(names, lambda name: self.read(start + name))

    def read_all(self) -> dict[str, bytes]:
        """Every file by its path; Refused where they are too many or too large together."""
        if len(self.names) > MAX_FILES:
            raise Refused(
                f"It holds {len(self.names):,} files, more than {MAX_FILES:,}: "
                "hand in the notebook and the files that it needs, no environment and no data set."
            )
        contents: dict[str, bytes] = {}
        total = 0
        for name in self.names:
            contents[name] = self.read(name)
            total += len(contents[name])
            if total > MAX_TOTAL:
                raise Refused(f"Its files take more than {MAX_TOTAL // 2**20} MiB: leave data sets out.")
        return contents


def digest_of(parts: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256, in hex, over names and contents in their order, each with its length before it, so that no two run
    together to the same bytes."""
    digest = hashlib.sha256()
    for name, content in parts:
        encoded = name.encode()
        digest.update(b"%d %d " % (len(encoded), len(content)) + encoded)
        digest.update(content)
    return digest.hexdigest()


def ignored(name: str) -> bool:
    """Whether any part of a path is hidden, or is what a system leaves beside files."""
    return any(part.startswith(".") or part in _IGNORED for part in PurePosixPath(name).parts)


def shown(name: str) -> str:
    """A file's name as text that can be printed and stored: bytes that are no UTF-8 become `?`."""
    return name.encode("utf-8", "replace").decode("utf-8")


def of_folder(folder: Path) -> Listing:
    """The files under a folder on disk. Links are followed within the folder only."""
    root = folder.resolve()
    paths: dict[str, Path] = {}
    for name, path in _walk(root):
        if len(paths) == MAX_LISTED:
            raise Refused(f"It holds more than {MAX_LISTED:,} files.")
        paths[shown(name)] = path
    return Listing(tuple(sorted(paths)), lambda name: read_file(paths[name]))


def read_file(path: Path) -> bytes:
    """The bytes of one file on disk; Refused where it is no plain file, or too large."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe or a device could wait for ever
            raise Refused("It is no plain file.")
        with path.open("rb") as file:
            contents = file.read(MAX_FILE + 1)
    except OSError as error:
        raise Refused(f"It cannot be read: {error.strerror}.") from error
    return _capped(contents)


def of_zip(source: Path | bytes) -> Listing:
    """The files in an archive; Refused where it is damaged or has a path that leads out of it."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except _DAMAGED as error:
        raise Refused("The archive is damaged: pack and hand it in again.") from error
    if len(archive.infolist()) > MAX_LISTED:
        raise Refused(f"The archive holds more than {MAX_LISTED:,} entries.")
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = _name_of(entry)
        path = _checked(name)
        link = stat.S_ISLNK(entry.external_attr >> 16)
        if path and not name.endswith("/") and not link and not ignored(path):
            found[path] = entry
    for path in found:
        if any(parent.as_posix() in found for parent in PurePosixPath(path).parents):
            raise Refused(f"The archive holds {path!r} inside of what is also a file: pack it again.")
    return Listing(tuple(sorted(found)), lambda name: _read_entry(archive, found[name], name))


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    if entry.compress_type not in _BOUNDED:
        raise Refused(f"The archive holds {name!r} in an unusual compression: pack it again as an ordinary .zip.")
    try:
        with archive.open(entry) as file:
            return _capped(file.read(MAX_FILE + 1))
    except Refused:
        raise
    except _DAMAGED as error:
        raise Refused(f"The archive is damaged or locked at {name!r}: pack it again, without a password.") from error


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            for path in folder.iterdir():
                if ignored(path.name) or (path.is_symlink() and not stays_within(path, root)):
                    continue
                if path.is_file():
                    yield path.relative_to(root).as_posix(), path
                elif path.is_dir() and not path.is_symlink():  # a link to a folder may lead in circles
                    waiting.append(path)
        except OSError as error:
            raise Refused(f"The folder {shown(folder.name)!r} cannot be read: {error.strerror}.") from error


def stays_within(link: Path, root: Path) -> bool:
    """Whether a link ends in the folder `root`, which holds no link itself."""
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # dangling, or a circle
        return False


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The path of an entry, with `/`. Windows packs Chinese names without saying that they are GB18030."""
    name = entry.orig_filename
    if not entry.flag_bits & 0x800:  # the archive does not say UTF-8, so Python has read it as code page 437
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "gb18030", "cp437"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _checked(name: str) -> str:
    """A path within the archive, normalised; "" for the archive's own root."""
    path = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or "\0" in name:
        raise Refused(f"The archive holds a path that leads out of it, {shown(name)[:80]!r}: pack it again.")
    if any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in path.parts):
        raise Refused("The archive holds a file whose name is too long: rename it.")
    return shown("/".join(path.parts))


def _capped(contents: bytes) -> bytes:
    if len(contents) > MAX_FILE:
        raise Refused(f"It is larger than {MAX_FILE // 2**20} MiB: clear all outputs, leave data sets out.")
    return contents
