"""Which code cells do the bytes of a notebook hold?

Only the sources count. Ids, metadata, outputs and attachments are never looked at (but by `answers`, for
people), so a notebook whose cells were copied, retyped or half repaired by hand reads as it looks. Every
format version of Jupyter keeps its sources in `cells` (4) or `worksheets` (1 to 3).
"""

import codecs
import io
import json
import re
import tokenize
from collections.abc import Iterator
from typing import Any

from autograder.notebook.submission import Cell

# Brackets, braces and commas of one notebook: what a JSON document of 64 MiB needs to become gigabytes
# of Python objects. Long outputs and pictures are strings and stay far below.
MAX_JSON_VALUES = 4_000_000
_MARKER = re.compile(r"# ?%%+(?P<title>.*)")
_NOT_CODE = re.compile(r"\[(markdown|md|raw)\b", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotANotebook(ValueError):
    """The bytes hold no notebook; the message tells the student why and what to do."""


def cells_of(contents: bytes, *, suffix: str) -> tuple[Cell, ...]:
    """The code cells of a notebook file's contents. suffix: ".ipynb" or ".py".

    Raises NotANotebook, and nothing else, whatever the contents are.
    """
    if not contents.strip():
        raise NotANotebook("The file is empty: save the notebook and hand it in again.")
    sources = (
        [source_of(block) for block in blocks_of(contents) if kind_of(block) == "code"]
        if suffix == ".ipynb"
        else [source for title, source in script_cells(contents) if not _NOT_CODE.search(title)]
    )
    return tuple(Cell(number, _plain(source)) for number, source in enumerate(sources, 1))


def blocks_of(contents: bytes) -> list[dict[str, Any]]:
    """Every cell of an .ipynb file, as it stands there; NotANotebook where it has none."""
    if len(contents) > MAX_JSON_VALUES < sum(contents.count(character) for character in (b"[", b"{", b",")):
        raise NotANotebook("The file holds far more values than a notebook: clear all outputs and save it again.")
    text = _decoded(contents)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotANotebook(_why_not_json(text, error)) from error
    except (ValueError, RecursionError) as error:  # a number of too many digits, a nest too deep
        raise NotANotebook("The file is no notebook that Jupyter could have saved: export it anew.") from error
    return list(_blocks(document))


def _blocks(document: Any) -> Iterator[dict[str, Any]]:
    """Every cell of a notebook document of any version."""
    if not isinstance(document, dict):
        raise NotANotebook("The file is JSON but not a notebook: hand in the .ipynb file that Jupyter saved.")
    holders = [document]
    if not isinstance(document.get("cells"), list):
        sheets = document.get("worksheets")
        if not isinstance(sheets, list):
            raise NotANotebook(
                "The file is JSON but not a notebook, it has no cells: hand in the .ipynb file that Jupyter saved."
            )
        holders = [sheet for sheet in sheets if isinstance(sheet, dict)]
    for holder in holders:
        cells = holder.get("cells")
        yield from (cell for cell in (cells if isinstance(cells, list) else []) if isinstance(cell, dict))


def kind_of(block: dict[str, Any]) -> str:
    """`code`, `markdown` ...; a cell without a type, as scripts that write notebooks leave them, is code."""
    kind = block.get("cell_type", "code")
    return kind.strip().lower() if isinstance(kind, str) else ""


def source_of(block: dict[str, Any]) -> str:
    source = block.get("source", block.get("input", ""))
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _why_not_json(text: str, error: json.JSONDecodeError) -> str:
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return "The file is a web page, not a notebook: download the notebook itself and hand that in."
    if start.startswith("pk\x03\x04"):
        return "The file is an archive that was renamed: hand in the .ipynb file that is in it, or name it .zip."
    if start.startswith("%pdf"):
        return "The file is a PDF, not a notebook: hand in the .ipynb file that Jupyter saved."
    if not start.startswith(("{", "[")):
        return "The file is not a notebook: hand in the .ipynb file that Jupyter saved."
    if "\n<<<<<<< " in text:
        return "The file holds an unfinished Git merge (<<<<<<<): open it in Jupyter, repair and save it."
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return "The file is cut off, its end is missing: save the notebook and hand it in again."
    return f"The file is damaged at line {error.lineno}, it is not JSON there: save it again in Jupyter."


def script_cells(contents: bytes) -> list[tuple[str, str]]:
    """The cells of a percent-format script: what stands behind `# %%`, and the source. A script without is
    one cell."""
    text = _lines_ended(_decoded(contents, _declared(contents)))
    if "\0" in text:
        raise NotANotebook("The file is not text: hand in the Python source, a .py file.")
    lines = text.splitlines(keepends=True)
    markers = _marker_lines(text, lines)
    if not markers:
        return [("", text)]
    head = lines[: markers[0]]
    cells = [("", "".join(head).strip("\n"))] if any(_is_statement(line) for line in head) else []
    for begin, end in zip(markers, [*markers[1:], len(lines)], strict=True):
        matched = _MARKER.match(lines[begin])
        if matched:
            cells.append((matched["title"], "".join(lines[begin + 1 : end]).strip("\n")))
    return cells


def _is_statement(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _marker_lines(text: str, lines: list[str]) -> list[int]:
    """Which lines begin a cell. A `# %%` inside a string does not, where the script can be tokenised."""
    candidates = [number for number, line in enumerate(lines) if _MARKER.match(line)]
    if not candidates:
        return []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):  # a cell is broken: better a cell too many than none
        return candidates
    comments = {token.start[0] - 1 for token in tokens if token.type == tokenize.COMMENT}
    return [number for number in candidates if number in comments]


def _decoded(contents: bytes, declared: str | None = None) -> str:
    """Text of bytes in the encoding that a byte order mark says, or `declared`.

    Otherwise UTF-8; what is none comes from an older editor: GB18030 where the bytes allow it, or
    Latin-1, which any bytes are.
    """
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if contents.startswith(mark)), None)
    for encoding in (marked, declared, "utf-8", "gb18030"):
        if encoding is not None:
            try:
                return contents.decode(encoding)
            except UnicodeError:
                continue
    return contents.decode("latin-1")


def _declared(contents: bytes) -> str | None:
    """The encoding that the first two lines of a script declare, as Python reads it."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(contents).readline)
    except SyntaxError:
        return None
    return encoding


def _lines_ended(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain(source: str) -> str:
    """A source that can be sent on as UTF-8: half a surrogate pair becomes a question mark."""
    text = _lines_ended(source)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
