"""Of which files of `reference/` is a topic made?

What is measured once and kept, as a trainer's bar, is measured anew when one of these has changed, and not for a
change elsewhere in the course.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from autograder.course.references import PACKAGE, files_of
from autograder.topic import Topic


def source_digest(course_dir: Path, topic: Topic) -> str:
    """SHA-256, in hex, over the module that declares a topic, those of `reference/` that it imports, and theirs, and
    over every file there that is no module, as any of them may read it."""
    folder = course_dir / PACKAGE
    found: set[Path] = set()
    waiting = [_file_of(folder, topic.main.__module__)]
    while waiting:
        path = waiting.pop()
        if path is not None and path not in found:
            found.add(path)
            waiting += [_file_of(folder, name) for name in _imports(folder, path)]
    found |= {path for path in files_of(folder) if path.suffix != ".py"}
    hashed = hashlib.sha256()
    for path in sorted(found):
        hashed.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size} ".encode() + path.read_bytes())
    return hashed.hexdigest()


def _imports(folder: Path, path: Path) -> Iterator[str]:
    """Full names of all modules of the course that a file may import; some of them are none."""
    package = [PACKAGE, *path.relative_to(folder).parent.parts]
    yield ".".join(package)  # whose __init__ runs first
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _file_of(folder: Path, module: str) -> Path | None:
    """The file of a module of the course; None for any other."""
    top, *parts = module.split(".")
    if top != PACKAGE:
        return None
    path = folder.joinpath(*parts)
    files = (path / "__init__.py", path.with_suffix(".py")) if parts else (path / "__init__.py",)
    return next((file for file in files if file.is_file()), None)
