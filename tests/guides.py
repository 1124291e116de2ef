"""How is a document followed, to the letter: its files written, its commands run, what it shows compared?

- A block whose paragraph before it names a file in backticks last, and ends with a colon, is written into that file,
  as seen from where the reader stands.
- A `diff` block, introduced in the same way, is applied to it: each of its pieces must be there once.
- In a `console` block a line after `$ ` is a command. What stands under it must be among the lines that it prints, in
  that order; `…` stands for anything in a line. A command must succeed, unless `$ echo $?` comes next.
- A quotation (`>`) after a paragraph that names one page (`.html`) must be found in what that says without its tags.
"""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXIT_CODE = "echo $?"
_PART = re.compile(r"^```(\w+)\n([\s\S]*?)^```$|^((?:>.*\n)+)|^(?!>|```)((?:.+\n)+)", re.MULTILINE)
_FILE = re.compile(r"`([^`\s]+)`[^`]*:$")
_PAGE = re.compile(r"`([^`\s]+\.html)`")


@dataclass(frozen=True)
class Command:
    """A line for the shell, and the lines shown under it. may_fail: its exit code is looked at by the next command."""

    line: str
    shown: tuple[str, ...] = ()
    may_fail: bool = False


@dataclass(frozen=True)
class Written:
    """A file that the reader writes."""

    path: str
    contents: str


@dataclass(frozen=True)
class Changed:
    """Lines of a file that the reader puts in the place of others."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Quoted:
    """Lines that the reader finds in a page."""

    path: str
    lines: tuple[str, ...]


Step = Command | Written | Changed | Quoted


def steps(guide: str) -> list[Step]:
    """What a document asks of its reader, in order."""
    return steps_in((ROOT / "docs" / guide).read_text(encoding="utf-8"))


def steps_in(text: str) -> list[Step]:
    found: list[Step] = []
    paragraph = ""
    for language, block, quotation, words in _PART.findall(text):
        if words:
            paragraph = words.rstrip()
        elif quotation:
            (page,) = _PAGE.findall(paragraph)
            found.append(Quoted(page, tuple(line[2:] for line in quotation.splitlines() if line[2:])))
        elif language == "console":
            found += _commands(block)
        elif named := _FILE.search(paragraph):
            found.append(_changed(named[1], block) if language == "diff" else Written(named[1], block))
        else:
            raise AssertionError(f"no file is named before\n{block}")
    return found


def commands(guide: str) -> list[Command]:
    """Those of a document whose other blocks are examples, and written by nobody."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return [each for language, block, _, _ in _PART.findall(text) if language == "console" for each in _commands(block)]


def _commands(block: str) -> Iterator[Command]:
    parts = [part.splitlines() for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    for (line, *shown), following in pairwise([*parts, [""]]):
        yield Command(line, tuple(shown), may_fail=following[0] == EXIT_CODE)


def _changed(path: str, block: str) -> Changed:
    lines = block.splitlines(keepends=True)
    return Changed(
        path,
        "".join(line[1:] for line in lines if line[0] != "+"),
        "".join(line[1:] for line in lines if line[0] != "-"),
    )


class Reader:
    """Somebody with a shell, who does one step after the other.

    at: where the reader stands. environment: of the commands; without it this process's, and the programs of the
    Python that runs the tests come first either way.
    """

    def __init__(self, at: Path, environment: dict[str, str] | None = None) -> None:
        self.at = at
        self.code = 0
        given = dict(os.environ) if environment is None else environment
        path = os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)])
        self.environment = given | {"PATH": path}

    def follow(self, found: Iterable[Step]) -> None:
        for step in found:
            match step:
                case Command():
                    self._run(step)
                case Written():
                    place = self.at / step.path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(step.contents, encoding="utf-8")
                case Changed():
                    place = self.at / step.path
                    before = place.read_text(encoding="utf-8")
                    assert before.count(step.old) == 1, f"{step.path} does not hold once:\n{step.old}"
                    place.write_text(before.replace(step.old, step.new), encoding="utf-8")
                case Quoted():
                    page = html.unescape(re.sub(r"<[^>]+>", " ", (self.at / step.path).read_text(encoding="utf-8")))
                    lines = ".*".join(map(re.escape, step.lines))
                    assert re.search(lines, " ".join(page.split())), f"{step.path} does not say {step.lines}:\n{page}"

    def _run(self, command: Command) -> None:
        if command.line.startswith("cd "):
            self.at /= command.line.removeprefix("cd ")
            return
        done = subprocess.run(
            ["sh", "-c", f"(exit {self.code})\n{command.line}"],  # so that $? is that of the command before
            cwd=self.at,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=600,
        )
        self.code = done.returncode
        assert command.may_fail or self.code == 0, f"$ {command.line}\n{done.stdout}exit code {self.code}"
        _must_show(command.shown, done.stdout.splitlines(), f"$ {command.line}")


def _must_show(shown: Iterable[str], printed: list[str], what: str) -> None:
    """Fail unless the lines are among those printed, in this order."""
    rest = iter(printed)
    for line in shown:
        pattern = ".*".join(map(re.escape, line.split("…")))
        found = any(re.fullmatch(pattern, each) for each in rest)
        assert found, f"{what}\ndoes not show, or not in this order:\n{line}\nbut:\n" + "\n".join(printed)
