"""What do otter's test files say, in both of their forms?

A test file is a program. It is never run on our side: what it says of points and cases is read from its
text, and its tests run in the jail.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from autograder.course.errors import CourseError
from autograder.exchange.peers.model import Group, Test


@dataclass(frozen=True)
class Case:
    """One test case. success, failure: what the instructor has to say when it passes, or does not."""

    test: Test
    success: str = ""
    failure: str = ""

    @property
    def hidden(self) -> bool:
        return self.test.has_hidden


@dataclass(frozen=True)
class Question:
    name: str
    cases: tuple[Case, ...]
    all_or_nothing: bool = False

    @property
    def points(self) -> float:
        return sum(case.test.points for case in self.cases)

    @property
    def group(self) -> Group:
        return Group(tuple(case.test for case in self.cases))


@dataclass(frozen=True)
class Written:
    """A case as it is written, before it has its points."""

    source: str
    hidden: bool
    points: Any = None
    name: str = ""
    success: str = ""
    failure: str = ""


def question_of(name: str, text: str) -> Question:
    """The question of a test file. name: of the file, for messages. Raises CourseError."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CourseError(f"test file {name}, line {error.lineno}: it is no Python") from error
    said = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    if "test" in said:
        return _ok(name, _literal(name, "test", said["test"]))
    if "name" not in said:
        raise CourseError(f"test file {name} assigns neither `test`, as a dictionary, nor `name`: is it otter's?")
    values = {key: _literal(name, key, said[key]) for key in ("name", "points", "all_or_nothing") if key in said}
    return made(
        str(values["name"]),
        _functions(name, tree),
        values.get("points"),
        "function",
        bool(values.get("all_or_nothing")),
    )


def made(name: str, cases: Sequence[Written], total: Any, mode: Any, all_or_nothing: bool = False) -> Question:
    """A question of these cases, with the points that each has by otter's rules."""
    points = _shares(name, total, [case.points for case in cases])
    return Question(
        name,
        tuple(
            Case(
                Test(
                    f"{name} {number}",
                    case.source,
                    "" if case.hidden else case.source,
                    worth,
                    mode,
                    name=case.name or f"{name} - {number}",
                ),
                case.success,
                case.failure,
            )
            for number, (case, worth) in enumerate(zip(cases, points, strict=True), 1)
        ),
        all_or_nothing,
    )


def examples(tree: ast.Module, block: dict[str, Any]) -> str:
    """A test cell of a source notebook and what it printed, as examples of a doctest."""
    lines: list[str] = []
    for statement in tree.body:
        first, *rest = ast.unparse(statement).split("\n")
        lines += [f">>> {first}", *(f"... {line}" for line in rest)]
    return "\n".join([*lines, _printed(block)])


def _printed(block: dict[str, Any]) -> str:
    """What the cell printed when the instructor ran it, and its value."""
    outputs = block.get("outputs")
    text = ""
    for output in outputs if isinstance(outputs, list) else []:
        text += _joined(output.get("text", ""))
        text += _joined(output.get("data", {}).get("text/plain", ""))
    return text


def _joined(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _literal(file: str, key: str, value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise CourseError(
            f"test file {file}, line {value.lineno}: {key} is computed, and this file is read, not run: "
            "write its value there"
        ) from None


def _ok(file: str, test: Any) -> Question:
    try:
        (suite,) = test["suites"]
        if suite.get("type", "doctest") != "doctest" or suite.get("setup") or suite.get("teardown"):
            raise CourseError(f"test file {file}: a suite other than of doctests, or with setup, is not otter's either")
        cases = [
            Written(
                dedent(case["code"]),
                bool(case.get("hidden", True)),
                case.get("points"),
                str(case.get("name") or ""),
                str(case.get("success_message") or ""),
                str(case.get("failure_message") or ""),
            )
            for case in suite["cases"]
        ]
        return made(str(test["name"]), cases, test.get("points"), "doctest", bool(test.get("all_or_nothing", False)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CourseError(f"test file {file} is not in otter's form: {type(error).__name__} {error}") from error


def _functions(file: str, tree: ast.Module) -> list[Written]:
    """The cases of a file of functions; of two with the same name the later one counts, as it does in Python."""
    found: dict[str, tuple[ast.FunctionDef, dict[str, Any]]] = {}
    rest: list[ast.stmt] = []
    for statement in tree.body:
        settings = _settings(file, statement)
        if isinstance(statement, ast.FunctionDef) and settings is not None:
            found[statement.name] = statement, settings
        else:
            rest.append(statement)
    return [
        Written(
            # One test alone with what all share, so that a visible one comes without the hidden ones.
            ast.unparse(ast.Module([*rest, function], [])),
            bool(settings.get("hidden", False)),
            settings.get("points"),
            str(settings.get("name") or ""),
            str(settings.get("success_message") or ""),
            str(settings.get("failure_message") or ""),
        )
        for function, settings in found.values()
    ]


def _settings(file: str, statement: ast.stmt) -> dict[str, Any] | None:
    """What `@test_case(...)` says over a function; None for whatever has none."""
    for decorator in getattr(statement, "decorator_list", []):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).rpartition(".")[2] == "test_case":
            names = ("name", "points", "hidden", "success_message", "failure_message")
            given = dict(zip(names, decorator.args, strict=False))
            given |= {keyword.arg or "": keyword.value for keyword in decorator.keywords}
            return {key: _literal(file, key, value) for key, value in given.items()}
    return None


def _shares(name: str, total: Any, points: list[Any]) -> list[float]:
    """Each case's points: its own, or its part of what the question has left."""
    if isinstance(total, dict):
        total = total.get("each", 1) * len(points)
    if isinstance(total, list):
        if len(total) != len(points):
            raise CourseError(f"question {name!r} has {len(points)} cases and points for {len(total)}: give each one")
        points, total = total, None
    if not all(value is None or type(value) in (int, float) for value in [*points, total]):
        raise CourseError(f"question {name!r}: points are numbers")
    given = sum(value for value in points if value is not None)
    open_ = sum(value is None for value in points)
    if total is not None:
        if given > total:
            raise CourseError(f"question {name!r}: its cases have {given:g} points, more than its own {total:g}")
        left = (total - given) / open_ if open_ else 0.0
    else:
        # Where nobody has said anything, a question is worth one point.
        left = 1 / open_ if open_ and not any(points) else 0.0
    return [float(left if value is None else value) for value in points]
