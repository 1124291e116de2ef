"""Are the code cells of every file that students hand in found, and bad files told apart?"""

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.notebook.cells import MAX_JSON_VALUES, NotANotebook, cells_of


def sources(contents: bytes, suffix: str = ".ipynb") -> list[str]:
    return [cell.source for cell in cells_of(contents, suffix=suffix)]


def document(*cells: object, **more: object) -> bytes:
    return json.dumps({"cells": list(cells), **more}).encode()


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


def test_cells_of_version_4_are_its_code_cells_in_order() -> None:
    made = nbformat.v4.new_notebook()
    made.cells = [
        nbformat.v4.new_code_cell("a = 1\nb = 2"),
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_code_cell(""),
        nbformat.v4.new_raw_cell("raw"),
        nbformat.v4.new_code_cell("c = 3"),
    ]
    cells = cells_of(nbformat.writes(made).encode(), suffix=".ipynb")
    assert [(cell.number, cell.source) for cell in cells] == [(1, "a = 1\nb = 2"), (2, ""), (3, "c = 3")]


def test_cells_of_version_3_are_read_from_its_worksheets() -> None:
    made = nbformat.v3.new_notebook(
        worksheets=[
            nbformat.v3.new_worksheet(
                cells=[nbformat.v3.new_code_cell("a = 1"), nbformat.v3.new_text_cell("markdown", "text")]
            ),
            nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("b = 2")]),
        ]
    )
    assert sources(nbformat.v3.writes_json(made).encode()) == ["a = 1", "b = 2"]


def test_cells_with_only_markdown_is_readable_and_empty() -> None:
    assert sources(document({"cell_type": "markdown", "source": "# Title"})) == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (code(["a = 1\n", "b = 2"]), ["a = 1\nb = 2"]),
        (code(["a = 1\n", 7, None, "b = 2"]), ["a = 1\nb = 2"]),
        (code(None), [""]),
        (code({"text": "a"}), [""]),
        ({"cell_type": "code"}, [""]),
        ({"source": "a = 1"}, ["a = 1"]),
        ({"cell_type": ["code"], "source": "a = 1"}, []),
        ("a = 1", []),
        (code("a = 1\r\nb = 2\rc = 3"), ["a = 1\nb = 2\nc = 3"]),
        (code("name = '\ud800'"), ["name = '?'"]),
    ],
    ids=["list", "mixed list", "null", "table", "no source", "no type", "odd type", "no cell", "CRLF", "surrogate"],
)
def test_cells_of_odd_cells_keep_what_is_text(cell: object, expected: list[str]) -> None:
    assert sources(document(cell)) == expected


def test_cells_ignore_duplicate_ids_attachments_and_missing_metadata() -> None:
    first = {**code("a = 1"), "id": "same", "attachments": {"x.png": {"image/png": "aGk="}}}
    second = {**code("b = 2"), "id": "same", "metadata": None, "outputs": "none"}
    assert sources(document(first, second, nbformat="four")) == ["a = 1", "b = 2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
@pytest.mark.parametrize("suffix", [".ipynb", ".py"])
def test_cells_read_chinese_in_any_encoding_an_editor_leaves(encoding: str, suffix: str) -> None:
    source = "# 梯度下降的学习率\nrate = 0.1"
    text = source if suffix == ".py" else json.dumps({"cells": [code(source)]}, ensure_ascii=False)
    assert sources(text.encode(encoding), suffix) == [source]


def test_cells_read_a_script_in_the_encoding_it_declares() -> None:
    source = "# -*- coding: latin-1 -*-\nname = 'naïve'"
    assert sources(source.encode("latin-1"), ".py") == [source]


def test_cells_read_latin_1_that_is_no_chinese() -> None:
    assert sources("name = 'café'".encode("latin-1"), ".py") == ["name = 'café'"]


@pytest.mark.parametrize(
    ("contents", "word"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"import numpy as np\n", "not a notebook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a notebook"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04....", "archive"),
        (b"<!DOCTYPE html><html>Log in</html>", "web page"),
        (b'{"cells": [{"cell_type": "code", "source": ["a = 1', "cut off"),
        (b'{"cells": [{"cell_type": "code", "source": ["a = 1"]}', "cut off"),
        (b'{"cells": [], "metadata": {},, "nbformat": 4}', "damaged at line 1"),
        (b'{"cells": [\n<<<<<<< HEAD\n{}\n=======\n>>>>>>> b\n]}', "Git merge"),
        (b'{"a": 1}', "no cells"),
        (b'{"cells": {"0": "a"}}', "no cells"),
        (b"[1, 2]", "JSON but not a notebook"),
        (b"[" * 100_000, "Jupyter could have saved"),
        (b'{"cells": [' + b"1" * 5000 + b"]}", "Jupyter could have saved"),
        (b'{"cells": [' + b"0," * (MAX_JSON_VALUES + 1) + b"0]}", "values"),
    ],
    ids=[
        "empty", "blank", "python", "picture", "pdf", "zip", "login page", "cut in a string", "cut at the end",
        "typing mistake", "git conflict", "other JSON", "cells is a table", "list", "deep nest", "long number", "bomb",
    ],
)  # fmt: skip
def test_cells_of_what_is_no_notebook_say_what_it_is(contents: bytes, word: str) -> None:
    with pytest.raises(NotANotebook, match=word):
        cells_of(contents, suffix=".ipynb")


SCRIPT = """# ---
# jupyter: python3
# ---
# %% [markdown]
# # Title
# %%
import numpy as np

#%% second
text = '''
# %% not a cell
'''
# %% [raw]
# nothing
# %% Plot [md]
# text
# %%
"""


def test_cells_of_a_percent_script_are_its_code_cells() -> None:
    assert sources(SCRIPT.encode(), ".py") == ["import numpy as np", "text = '''\n# %% not a cell\n'''", ""]


def test_cells_of_a_percent_script_begin_with_code_before_the_first_marker() -> None:
    assert sources(b"# a comment\nimport math\n# %%\nx = 1\n", ".py") == ["# a comment\nimport math", "x = 1"]


def test_cells_of_a_percent_script_with_a_broken_cell_stay_apart() -> None:
    script = b"# %%\na = 1\n# %%\ntext = '''never closed\n# %%\nb = 2\n"
    assert sources(script, ".py") == ["a = 1", "text = '''never closed", "b = 2"]


def test_cells_of_a_plain_script_are_one() -> None:
    assert sources(b"a = 1\r\nb = 2 # 50 %% off\r\n", ".py") == ["a = 1\nb = 2 # 50 %% off\n"]


def test_cells_of_a_binary_script_say_that_it_is_no_text() -> None:
    with pytest.raises(NotANotebook, match="not text"):
        cells_of(b"\xcb\r\r\n\x00\x00\x00\x00", suffix=".py")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["cells", "worksheets", "cell_type", "source", "input", "metadata", "nbformat"])
NOTEBOOK_LIKE = st.recursive(
    JSON_VALUES | st.sampled_from(["code", "markdown"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.binary(max_size=300), st.sampled_from([".ipynb", ".py"]))
def test_cells_of_any_bytes_raise_nothing_else(contents: bytes, suffix: str) -> None:
    check_cells(contents, suffix)


@given(NOTEBOOK_LIKE)
def test_cells_of_any_json_raise_nothing_else(value: object) -> None:
    check_cells(json.dumps(value).encode(), ".ipynb")


@given(st.lists(st.text(max_size=40), max_size=5), st.integers(min_value=0, max_value=400))
def test_cells_of_a_cut_notebook_are_refused(texts: list[str], cut: int) -> None:
    whole = document(*(code(text) for text in texts))
    assert len(sources(whole)) == len(texts)
    if 0 < cut < len(whole):
        with pytest.raises(NotANotebook):
            cells_of(whole[:-cut], suffix=".ipynb")


def check_cells(contents: bytes, suffix: str) -> None:
    """Cells are numbered from 1 and can be sent on, or the contents are refused with a sentence."""
    try:
        cells = cells_of(contents, suffix=suffix)
    except NotANotebook as error:
        cells, refusal = (), str(error)
    else:
        refusal = "."
    assert refusal.endswith(".")
    assert [cell.number for cell in cells] == list(range(1, len(cells) + 1))
    assert all("\r" not in cell.source and cell.source.encode("utf-8").decode() == cell.source for cell in cells)
