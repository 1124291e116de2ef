"""Which cells answer a question that a person grades?

A cell says by its metadata which question it answers: `{"autograder": {"question": ID}}`, or nbgrader's
`grade_id`. The cells that a student put below it belong to it, up to the next heading or the next cell
that says something of itself. In a percent script the same stands behind `# %%`.

Nothing here is trusted: text is text, and a picture is one that begins as pictures do.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.notebook.cells import blocks_of, kind_of, script_cells, source_of

MAX_CELLS = 12  # of one answer
MAX_TEXT = 20_000  # characters of one source or output
MAX_PICTURES = 3 * 2**20  # bytes of the pictures of one answer, encoded
_BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
_KIND = re.compile(r"\[(markdown|md|raw)\b", re.IGNORECASE)
_OPTION = re.compile(r"\b(nbgrader|autograder)\s*=\s*(?=\{)")


@dataclass
class Picture:
    """A picture in base64."""

    kind: str
    data: str


@dataclass
class Answer:
    """One cell of an answer. left_out: pictures and texts that were too many or too large to be shown."""

    kind: str
    source: str
    texts: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    left_out: int = 0


def answers_of(contents: bytes, *, suffix: str, questions: Collection[str]) -> dict[str, tuple[Answer, ...]]:
    """The cells that answer each of these questions; a question without any is left out.

    Raises NotANotebook where the contents hold no cells.
    """
    blocks = list(_blocks(contents)) if suffix == ".py" else blocks_of(contents)
    found: dict[str, list[Answer]] = {}
    room: dict[str, int] = {}
    current = ""
    for block in blocks:
        named = _names(block)
        if named:
            current = next((name for name in named if name in questions), "")
        elif kind_of(block) == "markdown" and source_of(block).lstrip().startswith("#"):
            current = ""
        if current and len(found.setdefault(current, [])) < MAX_CELLS:
            answer, room[current] = _answer(block, room.get(current, MAX_PICTURES))
            found[current].append(answer)
    return {question: tuple(cells) for question, cells in found.items()}


def _names(block: dict[str, Any]) -> list[str]:
    """What a cell says of itself."""
    metadata = block.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    told = [(metadata.get("autograder"), "question"), (metadata.get("nbgrader"), "grade_id")]
    names = [part.get(key) for part, key in told if isinstance(part, dict)]
    return [name for name in names if isinstance(name, str)]


def _blocks(contents: bytes) -> Iterator[dict[str, Any]]:
    """The cells of a percent script, in the form they have in a notebook."""
    for title, source in script_cells(contents):
        kind = _KIND.search(title)
        metadata = {match[1]: _option(title[match.end() :]) for match in _OPTION.finditer(title)}
        if kind:
            source = "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.splitlines())
        cell_type = "code" if not kind else "raw" if kind[1].lower() == "raw" else "markdown"
        yield {"cell_type": cell_type, "source": source, "metadata": metadata}


def _option(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _answer(block: dict[str, Any], room: int) -> tuple[Answer, int]:
    """One cell as it is shown, and the bytes that remain for pictures."""
    answer = Answer(kind_of(block), _text(source_of(block)))
    for bundle in _bundles(block):
        picture = next((kind for kind in _BEGINNINGS if kind in bundle), None)
        if picture is None:
            if "text/plain" in bundle:
                answer.texts.append(_text(_joined(bundle["text/plain"])))
            continue
        data = re.sub(r"\s", "", _joined(bundle[picture]))
        if len(data) > room or not _is_picture(picture, data):
            answer.left_out += 1
            continue
        room -= len(data)
        answer.pictures.append(Picture(picture, data))
    return answer, room


def _bundles(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a cell shows beside its source, by media type."""
    attachments = block.get("attachments")
    if isinstance(attachments, dict):
        yield from (bundle for bundle in attachments.values() if isinstance(bundle, dict))
    outputs = block.get("outputs")
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        if isinstance(output.get("data"), dict):
            yield output["data"]
        elif "text" in output:
            yield {"text/plain": output["text"]}


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _text(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return plain if len(plain) <= MAX_TEXT else f"{plain[:MAX_TEXT]}\n… {len(plain) - MAX_TEXT} characters more"


def _is_picture(kind: str, data: str) -> bool:
    try:
        return base64.b64decode(data, validate=True).startswith(_BEGINNINGS[kind])
    except (binascii.Error, ValueError):
        return False
