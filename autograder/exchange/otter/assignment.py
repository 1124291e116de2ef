"""What does an otter assignment hold: the source notebook for `otter assign`, or its autograder zip?"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError
from autograder.exchange.otter.questions import Question, Written, examples, made, question_of
from autograder.exchange.peers.plan import Instructor
from autograder.notebook.cells import NotANotebook, blocks_of, kind_of, source_of
from autograder.notebook.files import Refused, of_folder, of_zip, read_file

_MARK = re.compile(r"#\s+(begin|end)\s+(question|tests)\s*", re.IGNORECASE)
_CONFIG = re.compile(r"#\s+assignment\s+config\s*", re.IGNORECASE)
_TEST_CONFIG = re.compile(r'(?:.\s*=\s*)?""?"?\s*#\s*BEGIN\s*TEST\s*CONFIG', re.IGNORECASE)
_TEST_CONFIG_END = re.compile(r'""?"?\s*#\s*END\s*TEST\s*CONFIG', re.IGNORECASE)
_HIDDEN = re.compile(r"\bhidden\b", re.IGNORECASE)
_FENCE = "```otter"
_R = (".rmd", ".qmd", ".r")
_BY_CUSTOM = {"np": "numpy", "numpy": "numpy", "torch": "torch"}


@dataclass(frozen=True)
class Grading:
    """What otter_config.json says of grading."""

    seed: int | None = None
    seed_variable: str | None = None
    show_hidden: bool = False
    points_possible: float | None = None
    score_threshold: float | None = None


@dataclass(frozen=True)
class OtterAssignment:
    """questions: by name, in order. manual: what a person grades, with points. files: beside the notebook.

    own_name: what otter itself calls it, where it does: students' notebooks hold it too.
    """

    name: str
    questions: Mapping[str, Question]
    instructor: Instructor
    grading: Grading = field(default_factory=Grading)
    manual: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    own_name: str = ""

    @property
    def possible(self) -> float:
        return sum(question.points for question in self.questions.values())


def open_assignment(path: Path) -> OtterAssignment:
    """Read an assignment. Raises CourseError where it is none that can be graded here."""
    if not path.exists():
        raise CourseError(f"{path} is not there: name the source notebook, or the autograder zip")
    try:
        if path.suffix.lower() in _R:
            raise CourseError(f"{path} is in R; only Python is graded here")
        if path.suffix.lower() == ".ipynb":
            return _of_notebook(path)
        listing = of_folder(path) if path.is_dir() else of_zip(path)
        contents = {name: listing.read(name) for name in listing.names}
    except Refused as refused:
        raise CourseError(f"{path}: {refused}") from refused
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    return _of_zip(path, contents)


def _of_zip(path: Path, contents: Mapping[str, bytes]) -> OtterAssignment:
    tests = {name: data for name, data in contents.items() if name.startswith("tests/") and name.endswith(".py")}
    if not tests and any(name.startswith("tests/") and name.lower().endswith(".r") for name in contents):
        raise CourseError(f"{path} is in R; only Python is graded here")
    if not tests:
        raise CourseError(f"{path} holds no tests/*.py: name the autograder zip that `otter assign` or `generate` made")
    questions = [question_of(name, data.decode("utf-8", "replace")) for name, data in sorted(tests.items())]
    try:
        config = json.loads(contents.get("otter_config.json", b"{}"))
    except ValueError as error:
        raise CourseError(f"{path}, otter_config.json is no JSON: {error}") from error
    grading, remarks = _grading(path, config)
    files = {name.removeprefix("files/"): data for name, data in contents.items() if name.startswith("files/")}
    known = Instructor.of(data.decode("utf-8", "replace") for data in tests.values())
    # What names mean there is not said; that `np` is NumPy is.
    instructor = Instructor(_BY_CUSTOM | known.aliases, frozenset())
    return OtterAssignment(
        path.stem,
        {question.name: question for question in questions},
        instructor,
        grading,
        {},
        files,
        remarks,
        str(config.get("assignment_name") or "") if isinstance(config, dict) else "",
    )


def _grading(path: Path, config: Any) -> tuple[Grading, tuple[str, ...]]:
    config = config if isinstance(config, dict) else {}
    if config.get("lang", "python") != "python":
        raise CourseError(f"{path} is in {config['lang']}; only Python is graded here")
    if config.get("grade_from_log"):
        raise CourseError(f"{path} grades from a log that students' own code writes, which is not done here")
    remarks = ("its plugins are not run",) if config.get("plugins") else ()
    kept = {key: config.get(key) for key in Grading.__dataclass_fields__ if config.get(key) is not None}
    return Grading(**kept), remarks


# The source notebook.


def _of_notebook(path: Path) -> OtterAssignment:
    try:
        blocks = blocks_of(read_file(path))
    except NotANotebook as error:
        raise CourseError(f"{path}: {error}") from error
    reader = _Reader(path)
    for kind, source, block in _pieces(blocks):
        reader.take(kind, source, block)
    if not reader.questions and not reader.manual:
        raise CourseError(f"{path} has no `# BEGIN QUESTION`: it is no source for `otter assign`")
    config = reader.config
    seed = config.get("seed") or {}
    generate = config.get("generate")
    told = dict(generate) if isinstance(generate, dict) else {}
    told |= {"lang": _language(path)}
    told |= {"plugins": config["plugins"]} if config.get("plugins") else {}
    if isinstance(seed, dict) and seed.get("autograder_value") is not None:
        told |= {"seed": seed["autograder_value"], "seed_variable": seed.get("variable")}
    grading, remarks = _grading(path, told)
    named = [*(config.get("files") or []), *(config.get("autograder_files") or [])]
    return OtterAssignment(
        str(config.get("name") or path.stem),
        reader.questions,
        Instructor.of(reader.sources),
        grading,
        reader.manual,
        dict(_beside(path.parent, named)),
        remarks,
        str(config.get("name") or ""),
    )


def _language(path: Path) -> str:
    """What the notebook is written in; Python where it does not say."""
    document = json.loads(read_file(path))
    kernel = document.get("metadata", {}).get("kernelspec", {}) if isinstance(document, dict) else {}
    return str(kernel.get("language") or "python").lower()


def _beside(folder: Path, names: list[Any]) -> Iterator[tuple[str, bytes]]:
    for name in map(str, names):
        place = folder / name
        try:
            if place.is_dir():
                listing = of_folder(place)
                yield from ((f"{name.rstrip('/')}/{each}", listing.read(each)) for each in listing.names)
            else:
                yield name, read_file(place)
        except Refused as refused:
            raise CourseError(f"{place}, which the assignment names under `files`: {refused}") from refused


def _pieces(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, text and cell; a fenced ```otter block in a text is a raw cell of its own."""
    for block in blocks:
        kind, source = kind_of(block), source_of(block)
        if kind != "markdown" or _FENCE not in source:
            yield kind, source, block
            continue
        for part in re.split(r"^```otter[ \t]*\n(.*?)^```[ \t]*$", source, flags=re.MULTILINE | re.DOTALL)[1::2]:
            yield "raw", part.rstrip("\n"), block


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._question: dict[str, Any] | None = None
        self._tests: list[Written] | None = None
        self.config: dict[str, Any] = {}
        self.questions: dict[str, Question] = {}
        self.manual: dict[str, float] = {}
        self.sources: list[str] = []

    def take(self, kind: str, source: str, block: dict[str, Any]) -> None:
        if kind == "raw" and _CONFIG.match(source):
            told = self._yaml(source)
            if file := told.get("config_file"):
                self.config = _merged(self.config, self._config_file(str(file)))
            self.config = _merged(self.config, told)
        elif kind == "raw" and (mark := _MARK.match(source)):
            self._mark(mark[1].lower(), mark[2].lower(), source)
        elif kind == "code" and self._tests is not None:
            self._tests.append(self._test(source, block))
        elif kind == "code":
            self.sources.append(source)

    def _mark(self, edge: str, what: str, source: str) -> None:
        if what == "tests":
            if edge == "begin" and self._question is not None:
                self._tests = self._question.setdefault("cases", [])
            else:
                self._tests = None
            return
        if edge == "begin":
            self._question = self._yaml(source)
            if "name" not in self._question:
                raise CourseError(f"{self._path}: a question has no name: {source[:80]!r}")
            return
        question, self._question = self._question or {}, None
        name, cases = str(question.get("name", "")), question.get("cases", [])
        if cases:
            mode = "doctest" if self._ok_format else "function"
            points = question.get("points")
            self.questions[name] = made(name, cases, points, mode, bool(question.get("all_or_nothing")))
        elif question.get("manual"):
            points = question.get("points")
            self.manual[name] = float(points) if isinstance(points, int | float) else 0.0  # as otter has it

    @property
    def _ok_format(self) -> bool:
        tests = self.config.get("tests")
        return bool(tests.get("ok_format", True)) if isinstance(tests, dict) else True

    def _config_file(self, name: str) -> dict[str, Any]:
        place = self._path.parent / name
        try:
            return self._yaml(read_file(place).decode("utf-8", "replace"))
        except Refused as refused:
            raise CourseError(f"{place}, which the assignment names as `config_file`: {refused}") from refused

    def _yaml(self, source: str) -> dict[str, Any]:
        import yaml

        try:
            told = yaml.safe_load(source)
        except yaml.YAMLError as error:
            raise CourseError(f"{self._path}: a configuration cell is no YAML: {source[:80]!r}") from error
        if told is not None and not isinstance(told, dict):
            raise CourseError(f"{self._path}: a configuration cell holds no settings: {source[:80]!r}")
        return told or {}

    def _test(self, source: str, block: dict[str, Any]) -> Written:
        lines = source.split("\n")
        hidden = lines[0].lstrip().startswith("#") and bool(_HIDDEN.search(lines[0]))
        config: dict[str, Any] = {}
        if _TEST_CONFIG.match(lines[0]):
            end = next((number for number, line in enumerate(lines) if _TEST_CONFIG_END.match(line)), len(lines) - 1)
            config = self._yaml("\n".join(lines[1:end]))
            lines = lines[end + 1 :]
        try:
            tree = ast.parse("\n".join(lines))
        except SyntaxError as error:
            raise CourseError(f"{self._path}: a test cell is no Python: {source[:80]!r}") from error
        if self._ok_format:
            text = examples(tree, block)
        elif tree.body and isinstance(tree.body[0], ast.FunctionDef):
            head = "from otter.test_files import test_case\n@test_case()\n"
            text = head + ast.unparse(tree.body[0])
        else:
            raise CourseError(f"{self._path}: a test cell of exception-based tests is one function: {source[:80]!r}")
        return Written(
            text,
            bool(config.get("hidden", hidden)),
            config.get("points"),
            success=str(config.get("success_message") or ""),
            failure=str(config.get("failure_message") or ""),
        )


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Settings with later ones over them, as otter has it: key by key, in groups of settings too."""
    both = {key: (old[key], new[key]) for key in old.keys() & new.keys()}
    inner = {key: _merged(*pair) for key, pair in both.items() if all(isinstance(each, dict) for each in pair)}
    return {**old, **new, **inner}
