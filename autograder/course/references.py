"""Which topics does a course's `reference/` declare?

The folder is imported as the package `reference`. A process works on one course at a time: when
another course's `reference` is loaded already, or the same with other contents, it is replaced.
"""

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from autograder.course.errors import CourseError, listed, nearest
from autograder.course.load import Assignment, Course, Question
from autograder.sandbox.accelerator import PROCESSOR
from autograder.topic import Topic

PACKAGE = "reference"
_DIGEST = "__course_digest__"  # set on the loaded package: what its sources were when it was imported


def load_topics(course: Course) -> dict[str, Topic]:
    """Import every module of `reference/` and collect its topics by name, in order of the names.

    Runs the lecturer's code. CourseError where it cannot be imported, with file and line, or where two
    topics have one name.
    """
    folder = _folder(course)
    digest = reference_digest(course)
    loaded = sys.modules.get(PACKAGE)
    if loaded is not None and not _is_current(loaded, folder, digest):
        _forget()
    importlib.invalidate_caches()  # a file may be newer than the folder's listing that Python keeps
    try:
        modules = _imported(folder, digest)
    except (Exception, SystemExit) as error:  # a lecturer's module may raise anything; its author is told where
        _forget()
        raise CourseError(_broken(error, folder)) from error
    return _collected(modules)


def reference_digest(course: Course) -> str:
    """SHA-256, in hex, over every file of `reference/`: its path in the folder and its contents."""
    folder = _folder(course)
    digest = hashlib.sha256()
    for path in files_of(folder):
        name = path.relative_to(folder).as_posix().encode()
        contents = path.read_bytes()
        if path.suffix == ".py":
            _must_be_text(path, contents)
        digest.update(b"%d %d " % (len(name), len(contents)) + name + contents)
    return digest.hexdigest()


def topic_of(topics: Mapping[str, Topic], assignment: Assignment, question: Question) -> Topic:
    """The topic that a question of the assignment asks for.

    CourseError when no reference declares it, or it cannot be asked on the device that the question names.
    """
    if question.topic not in topics:
        raise CourseError(
            f"{assignment.dir / 'assignment.toml'}: question {question.id}: no module of reference/ declares the "
            f"topic {question.topic!r}{nearest(question.topic, topics)}; there are: {listed(topics)}"
        )
    topic = topics[question.topic]
    if question.device != PROCESSOR and not topic.takes_device:
        raise CourseError(
            f"{assignment.dir / 'assignment.toml'}: question {question.id}: {topic.name} takes no device: give its "
            "function a parameter `device`, or take out the question's"
        )
    return topic


def blamed(error: Exception, course: Course) -> str:
    """The sentence about an error that a file of `reference/` raised when it was used; "" where one of ours did."""
    ours, folder = Path(__file__).parent.parent, _folder(course)
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    last = [path for path in frames if path.is_relative_to(folder) or path.is_relative_to(ours)][-1:]
    return _broken(error, folder) if last and last[0].is_relative_to(folder) else ""


def _folder(course: Course) -> Path:
    folder = course.dir / PACKAGE
    if not (folder / "__init__.py").is_file():
        raise CourseError(
            f"{folder} has no __init__.py: a course's references are a package; add the file, it may be empty"
        )
    return folder


def files_of(folder: Path) -> Iterator[Path]:
    """The files under a folder in a fixed order, without caches and hidden ones."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield path


def _must_be_text(path: Path, contents: bytes) -> None:
    """Misconceptions are edits of a module's text, which Python may run without being able to read it again."""
    try:
        contents.decode()
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        raise CourseError(f"{path}, line {line}, is not UTF-8 text: save it as UTF-8") from error


def _module_names(folder: Path) -> list[str]:
    names = []
    for path in files_of(folder):
        if path.suffix != ".py":
            continue
        parts = path.relative_to(folder).with_suffix("").parts
        for part in parts:
            if not part.isidentifier():
                raise CourseError(f"{path} cannot be imported: rename it, {part!r} is no name of Python")
        names.append(".".join([PACKAGE, *(part for part in parts if part != "__init__")]))
    return names


def _is_current(package: ModuleType, folder: Path, digest: str) -> bool:
    """Whether the loaded package is this folder's, as it is now."""
    origin = getattr(package, "__file__", None)
    same_folder = origin is not None and Path(origin).resolve().parent == folder.resolve()
    return same_folder and getattr(package, _DIGEST, digest) == digest


def _forget() -> None:
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]


def _imported(folder: Path, digest: str) -> list[ModuleType]:
    """Import `reference` and its modules from this folder, without putting the course on `sys.path`.

    No bytecode is written: a course folder may be read-only, and bytecode is told from its source by
    whole seconds, which is too coarse for an edit that is tried at once.
    """
    writing = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        if PACKAGE not in sys.modules:
            spec = importlib.util.spec_from_file_location(
                PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
            assert spec is not None  # it is a .py file
            assert spec.loader is not None
            package = importlib.util.module_from_spec(spec)
            sys.modules[PACKAGE] = package
            spec.loader.exec_module(package)
        setattr(sys.modules[PACKAGE], _DIGEST, digest)
        return [importlib.import_module(name) for name in _module_names(folder)]
    finally:
        sys.dont_write_bytecode = writing


def _broken(error: BaseException, folder: Path) -> str:
    """The sentence for a module that cannot be imported: the innermost line of the lecturer's own."""
    if isinstance(error, CourseError):
        return str(error)
    where = ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}, line {error.lineno}: "
        return f"{where}{type(error).__name__}: {error.msg}"
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).is_relative_to(folder):
            where = f"{frame.filename}, line {frame.lineno}: "
    return f"{where}{type(error).__name__}: {error}"


def _collected(modules: list[ModuleType]) -> dict[str, Topic]:
    found: dict[str, Topic] = {}
    for module in modules:
        for value in vars(module).values():
            if not isinstance(value, Topic):
                continue
            known = found.setdefault(value.name, value)
            if known is not value:
                raise CourseError(
                    f"two topics are called {value.name!r}, in {known.main.__module__} and {value.main.__module__}: "
                    "a topic is found by its name, rename one"
                )
    return dict(sorted(found.items()))
