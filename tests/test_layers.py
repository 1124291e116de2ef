"""Does every file of autograder/ import only from its own layer and those below?"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "autograder"

# From the ground up; packages of one line may import each other.
LAYERS = (
    {"values"},
    {"sandbox", "topic"},
    {"course", "checks"},
    {"notebook", "suite"},
    {"grading"},
    {"gradebook"},
    {"exchange", "report"},
    {"cli", "web"},
)
RANK = {package: rank for rank, line in enumerate(LAYERS) for package in line}

# What runs beside student code: the codec and its siblings, and the libraries that the jail has anyway.
JAILED = ("worker", "warden", "server")
JAILED_MAY = {"numpy", "torch", "IPython"}
JAILED_OURS = ("autograder.values.codec", "autograder.values.asking", "autograder.sandbox")

FILES = sorted(path for path in ROOT.rglob("*.py") if "template" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, in full."""
    package = ("autograder", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layer_of(module: str) -> int | None:
    """The layer of one of our modules; None for the package itself, which only knows its version."""
    parts = module.split(".")
    return RANK[parts[1]] if len(parts) > 1 and parts[1] in RANK else None


def test_layers_name_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages
    assert packages <= set(RANK)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != ROOT], ids=name_of)
def test_layers_are_kept_by(path: Path) -> None:
    own = RANK[path.relative_to(ROOT).parts[0]]
    ours = [module for module in imported(path) if module.partition(".")[0] == "autograder"]
    above = [module for module in ours if (layer := layer_of(module)) is not None and layer > own]
    assert not above, f"{name_of(path)} imports from a layer above its own: {above}"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.parent.name == "sandbox" and path.name.startswith(JAILED)], ids=name_of
)
def test_jailed_code_imports_little(path: Path) -> None:
    foreign = [
        module
        for module in imported(path)
        if module.partition(".")[0] not in sys.stdlib_module_names | JAILED_MAY and not module.startswith(JAILED_OURS)
    ]
    assert not foreign, f"{name_of(path)} runs beside student code and imports {foreign}"


def test_no_file_knows_the_flagship_course() -> None:
    courses = ("reference", "assignments", "solutions", "examples", "tests")
    named = {name_of(path) for path in FILES for module in imported(path) if module.partition(".")[0] in courses}
    assert not named
