"""What does `nbgrader_config.py` say?

It is a program, and is never run: what it assigns to settings we know, as plain values, is read from its text. What
it says of them in any other way is refused, so that nobody is graded by settings that are not the course's.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course.errors import CourseError

_KNOWN = frozenset(
    "CourseDirectory.course_id CourseDirectory.db_url CourseDirectory.directory_structure CourseDirectory.root "
    "CourseDirectory.source_directory CourseDirectory.submitted_directory CourseDirectory.autograded_directory "
    "CourseDirectory.feedback_directory ClearHiddenTests.begin_test_delimeter ClearHiddenTests.end_test_delimeter "
    "ClearSolutions.begin_solution_delimeter ClearSolutions.end_solution_delimeter ClearSolutions.text_stub "
    "ClearSolutions.code_stub Autograde.exclude_overwriting Execute.timeout ExecutePreprocessor.timeout".split()
)
# What changes marks there, and nothing here.
_LATE = "late penalties are not taken off here; take them off where you export the grades"
_STEPS = "no other steps than nbgrader's usual ones are done here"
_NOT_FOLLOWED = {
    "AssignLatePenalties.plugin_class": _LATE,
    "LateSubmissionPlugin.penalty_method": _LATE,
    "GenerateAssignment.preprocessors": _STEPS,
    "Autograde.sanitize_preprocessors": _STEPS,
    "Autograde.autograde_preprocessors": _STEPS,
}
_ITEM = re.compile(r"\[['\"](\w+)['\"]\]")


@dataclass(frozen=True)
class Settings:
    """What a course says of itself where it differs from nbgrader's defaults. remarks: what is not followed here."""

    values: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def text(self, key: str, usual: str) -> str:
        return str(self.values.get(key, usual))

    @property
    def seconds(self) -> float | None:
        """The time that a cell may take, where the course says so."""
        for key in ("Execute.timeout", "ExecutePreprocessor.timeout"):
            value = self.values.get(key)
            if isinstance(value, int | float) and value > 0:
                return float(value)
        return None


def read_settings(path: Path) -> Settings:
    """The settings of a course; none where there is no such file. Raises CourseError."""
    if not path.exists():
        return Settings()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error
    values: dict[str, Any] = {}
    remarks: list[str] = []
    plain = {id(statement) for statement in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "load_subconfig":
            raise CourseError(
                f"{path}, line {node.lineno}: the settings of other files are not read: write those of "
                f"{ast.unparse(node.args[0]) if node.args else 'that file'} here"
            )
        for key, value in _assigned(node):
            where = f"{path}, line {node.lineno}"  # type: ignore[attr-defined]
            if key in _KNOWN:
                if id(node) not in plain or value is None:
                    raise CourseError(f"{where}: {key} is set on a condition, and this file is read, not run: {_WRITE}")
                values[key] = _literal(where, key, value)
            elif key in _NOT_FOLLOWED and not _is_none(value):
                remarks.append(f"{where}: {key} is not followed: {_NOT_FOLLOWED[key]}")
    return Settings(values, tuple(remarks))


_WRITE = "write its value there, on a line of its own"


def _assigned(node: ast.AST) -> list[tuple[str, ast.expr | None]]:
    """The settings that a statement changes: `c.A.b = value`, whatever c is called; no value where it adds to one."""
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
        return [(_key(target), value) for target in targets]
    if isinstance(node, ast.AugAssign):
        return [(_key(node.target), None)]
    return []


def _key(target: ast.expr) -> str:
    return _ITEM.sub(r".\1", ast.unparse(target)).partition(".")[2]


def _literal(where: str, key: str, value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise CourseError(f"{where}: {key} is computed, and this file is read, not run: {_WRITE}") from None


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value == "none"
