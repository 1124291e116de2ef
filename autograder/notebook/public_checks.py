"""Which public checks go with a question?

A check is a worked example of the topic: the body of its function is put into the notebook as it
stands. `check` and `close`, which it calls, are in the helper cell.
"""

import ast
import inspect
import textwrap

from autograder.topic import Topic
from autograder.topic.worked import Worked

NAME = "public_check"  # of the function that holds an example, in the notebook


def checks_of(topic: Topic) -> str:
    """Source that defines and runs each worked example of a topic; "" where it has none."""
    return "\n\n\n".join(_check(example) for example in topic.examples)


def _check(example: Worked) -> str:
    said = f"{example.name} ({example.lecture})" if example.lecture else example.name
    quoted = '"' + said.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"def {NAME}():\n{_body(example)}\n\n\ncheck({NAME}, {quoted})"


def _body(example: Worked) -> str:
    """The lines below `def _():`, comments too."""
    text = textwrap.dedent(inspect.getsource(example.check))
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    head = function.lineno if function.body[0].lineno > function.lineno else function.lineno - 1
    lines = text.splitlines()[head:]
    if head < function.lineno:  # `def _(): one line`
        lines[0] = " " * 4 + lines[0][function.body[0].col_offset :]
    return "\n".join(lines).rstrip()
