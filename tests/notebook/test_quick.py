"""Is nbformat imported without the parser that takes seconds, and is it there again for whoever wants it?"""

import subprocess
import sys

import pytest

LOOK = """
import sys
from autograder.notebook.quick import without_addresses
with without_addresses():
    import nbformat
print("lark" in sys.modules, "rfc3987_syntax" in sys.modules)
nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text")]))
import rfc3987_syntax
print("lark" in sys.modules)
"""


def test_notebooks_are_validated_without_the_parser_of_addresses() -> None:
    pytest.importorskip("rfc3987_syntax", reason="it comes with nbgrader, and without it nothing is slow")
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
