"""Fuzzing of what reads hand-ins: which does it start from, how are they changed, and what must hold of each?

The first byte says what the rest is: a notebook, a script, or an archive of files.
"""

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from autograder.notebook import cells, files
from autograder.notebook.answers import answers_of
from autograder.notebook.cells import NotANotebook, cells_of
from autograder.notebook.files import Refused, of_zip
from tests.fuzz.trees import changed

CODE = cells
NOTEBOOK, SCRIPT, ARCHIVE = 0, 1, 2
WORDS = (
    "cells", "cell_type", "source", "input", "worksheets", "code", "markdown", "raw", "metadata", "outputs", "nbformat",
    "attachments", "language_info",
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    {"cell_type": "code", "source": "x = 1\n"}, {"cell_type": "code", "source": ["a\n", "b"]}, {"cells": []},
    {"cell_type": "markdown", "source": "# A"}, {"cell_type": 3}, {"worksheets": [{"cells": [{"input": "y"}]}]},
)  # fmt: skip
_NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"language_info": {"name": "python"}},
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# One\n"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import numpy as np\n", "x = 1"]},
        {"cell_type": "code", "metadata": {"autograder": {"question": "q"}}, "source": "def f():\n    return 2\n"},
    ],
}
_OLD = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}
_SCRIPTS = (
    "# %% first\nx = 1\n# %% [markdown]\n# text\n#%%\ny = 2\n", "x = 1\n", '# %%\ns = """\n# %% no cell\n"""\n',
    "# -*- coding: latin-1 -*-\n# %%\nx = 'ü'\n", "# %%\ndef (:\n# %%\nz\n", "\ufeff# %%\r\nx\r\n", "a\0b",
    "# coding: no-such\nx",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Notebooks of two formats, things that people hand in for one, scripts, and archives of such."""
    documents = [json.dumps(document).encode() for document in (_NOTEBOOK, _OLD, {}, [], {"cells": 3})]
    other = [
        b"",
        b"<html>",
        b"PK\x03\x04",
        b"%PDF",
        b"{\n<<<<<<< x\n",
        b'{"cells": [',
        b"[" * 50_000,
        b'{"a":' + b"9" * 5000,
    ]
    scripts = [text.encode("utf-8", "surrogatepass") for text in _SCRIPTS]
    scripts += ["# %%\nx = '李'\n".encode("gb18030"), "x".encode("utf-16"), "x".encode("utf-32"), b"\xff\xfe\xfd"]
    archives = [
        _zip({"a/notebook.ipynb": documents[0], "a/data.csv": b"1,2"}),
        _zip({"x.py": b"x", "../y": b""}),
        _zip({}),
    ]
    return [
        *(bytes([NOTEBOOK]) + each for each in (*documents, *other)),
        *(bytes([SCRIPT]) + each for each in scripts),
        *(bytes([ARCHIVE]) + each for each in archives),
    ]


def _zip(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def try_one(data: bytes) -> bool:
    """Whether an input passed the first layer: JSON, text, or an archive's directory."""
    kind, contents = data[:1], data[1:]
    if kind == bytes([ARCHIVE]):
        return _archive(contents)
    suffix = ".py" if kind == bytes([SCRIPT]) else ".ipynb"
    try:
        found = cells_of(contents, suffix=suffix)
        answers_of(contents, suffix=suffix, questions=["q"])
    except NotANotebook as error:
        assert 10 < len(str(error)) < 500
        return False
    assert [cell.number for cell in found] == list(range(1, len(found) + 1))
    for cell in found:
        assert "\r" not in cell.source
        cell.source.encode()
    return True


def _archive(contents: bytes) -> bool:
    try:
        listing = of_zip(contents)
        read = listing.read_all()
    except Refused as error:
        assert str(error)
        return False
    for name, data in read.items():
        path = PurePosixPath(name)
        assert not path.is_absolute()
        assert ".." not in path.parts
        assert "\0" not in name
        name.encode()
        assert len(data) <= files.MAX_FILE
    return True


def mutate(data: bytes, size: int, seed: int, blind: Callable[[bytes, int], bytes]) -> bytes:
    """Another input: a notebook stays JSON mostly, an archive one whose members changed."""
    chance = random.Random(seed)
    kind, contents = data[:1] or b"\0", data[1:]
    if chance.random() < 0.3:
        return kind + blind(contents or b"{}", size - 1)
    if kind == bytes([NOTEBOOK]):
        try:
            document = json.loads(contents)
        except (ValueError, RecursionError):
            document = copy.deepcopy(chance.choice((_NOTEBOOK, _OLD)))
        return (kind + json.dumps(changed(document, chance, WORDS, LEAVES)).encode())[:size]
    if kind == bytes([ARCHIVE]):
        names = [
            "a/b.ipynb",
            "c.py",
            "/etc/x",
            "../d",
            "a\\e",
            "f/",
            "g" * 300,
            "h\0i",
            "C:\\j",
            "李.py",
            "a/b.ipynb/k",
        ]
        members = {name: chance.randbytes(20) for name in chance.sample(names, chance.randint(0, 4))}
        return (kind + _zip(members))[:size]
    lines = contents.split(b"\n")
    lines.insert(
        chance.randrange(len(lines) + 1), chance.choice([b"# %%", b'"""', b"\xff", b"# coding: utf-7", b"(", b"\r"])
    )
    return (kind + b"\n".join(lines))[:size]
