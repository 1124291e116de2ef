"""Which mistakes of students did a lecturer give a name?

A file of `adopted/TOPIC/` holds a student's code and above it, in comments, the name of the mistake and a hint. To us
it is text: its code runs in a jail alone. So the folder lies beside `reference/`, which is imported, and not in it.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import CourseError, listed, nearest
from autograder.course.load import Course, checked
from autograder.course.strict import Strict, Text
from autograder.topic.declare import Topic

FOLDER = "adopted"
_HEAD = re.compile(r"\A# /// adopted\n(?P<toml>(?:#(?: [^\n]*)?\n)+?)# ///\n")


class _Head(Strict):
    """What stands above the code."""

    name: Text
    hint: Text


@dataclass(frozen=True)
class Adopted:
    """A mistake that was named. source: the student's code, as one cell. path: its file."""

    name: str
    hint: str
    source: str
    path: Path


def load_adopted(course: Course, topics: Mapping[str, Topic]) -> dict[str, tuple[Adopted, ...]]:
    """What was adopted, by topic; nothing of it is run. CourseError for a file or a folder that does not fit."""
    found: dict[str, list[Adopted]] = {}
    for path in _files(course):
        topic = path.parent.name
        if path.parent.parent != course.dir / FOLDER or topic not in topics:
            raise CourseError(
                f"{path}: its folder must be called as a topic is{nearest(topic, topics)}; there are: {listed(topics)}"
            )
        adopted = _read(path)
        _must_be_new(adopted.name, topics[topic], found.setdefault(topic, []), path)
        found[topic].append(adopted)
    return {topic: tuple(each) for topic, each in found.items()}


def adopted_digests(course: Course, topics: Iterable[str]) -> list[list[str]]:
    """Path and SHA-256 of every file that was adopted for these topics: what a suite is made from."""
    wanted = set(topics)
    return [
        [path.relative_to(course.dir).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in _files(course)
        if path.parent.name in wanted
    ]


def place_of(course: Course, topic: Topic, name: str, known: Iterable[Adopted]) -> Path:
    """The file for a mistake of that name. CourseError where the name, or a file for it, is there already."""
    slug = "-".join(re.findall(r"\w+", name.lower()))[:60].strip("-")
    if not slug:
        raise CourseError(f"--name {name!r} holds no letter: say in a few words what the mistake is")
    path = course.dir / FOLDER / topic.name / f"{slug}.py"
    _must_be_new(name, topic, known, path)
    if path.exists():
        raise CourseError(f"{path} is there already: give the mistake another name, or remove the file")
    return path


def text_of(name: str, hint: str, source: str) -> str:
    """The contents of a file."""
    head = (f"# {key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in (("name", name), ("hint", hint)))
    return f"# /// adopted\n{''.join(head)}# ///\n{source}"


def _files(course: Course) -> Iterator[Path]:
    for path in sorted((course.dir / FOLDER).rglob("*.py")):
        if not any(part.startswith(".") for part in path.relative_to(course.dir).parts):
            yield path


def _read(path: Path) -> Adopted:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as UTF-8 text: {error}") from error
    head = _HEAD.match(text)
    if head is None:
        raise CourseError(
            f'{path} must begin with the lines `# /// adopted`, `# name = "..."`, `# hint = "..."` and `# ///`: '
            "write them, or make the file with `autograder adopt`"
        )
    try:
        document = tomllib.loads("".join(line[1:].lstrip(" ") for line in head["toml"].splitlines(keepends=True)))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{path}: what stands above its code is not valid TOML: {error}") from error
    read = checked(path, document, _Head)
    return Adopted(read.name, read.hint, text[head.end() :], path)


def _must_be_new(name: str, topic: Topic, known: Iterable[Adopted], path: Path) -> None:
    declared = {each.name for each in topic.misconceptions}
    others = {each.name: each.path for each in known}
    if name in declared or name in others:
        where = "is declared" if name in declared else f"stands in {others[name]}"
        raise CourseError(f"{path}: a misconception of {topic.name} called {name!r} {where} already: name it otherwise")
