"""Tricks on whoever judges: they work on a grader that shares its process with the notebook."""

from tests.hostile.act import Act

_STUMBLE = "it gains nothing: whoever compares, or keeps what came of it, shall not stumble over it"
_PROTOCOL = "it speaks the words of this jail, which nothing else understands"

ACTS = {
    "np.allclose says yes": Act(
        "patch what compares",
        "np.allclose = lambda *a, **k: True\ndef wave(x):\n    return x",
        "wrong_value",
        "allclose",
    ),
    "np.testing says nothing": Act(
        "patch what asserts",
        "import numpy.testing\nnp.testing.assert_allclose = lambda *a, **k: None\ndef wave(x):\n    return x",
        "wrong_value",
        "testing",
    ),
    "ufuncs of NumPy are others": Act(
        "patch what a comparison is made of",
        "np.abs = np.absolute = lambda x: np.zeros(1)\ndef wave(x):\n    return x",
        "wrong_value",
        "within",
    ),
    "sin and multiply are others": Act(
        "patch the arithmetic", "np.max = lambda *a, **k: 0.0\ndef wave(x):\n    return x + 1", "wrong_value", "within"
    ),
    "an object that equals everything": Act(
        "__eq__ is always true",
        "class Yes:\n    __eq__ = lambda self, other: True\n    __hash__ = None\ndef wave(x):\n    return Yes()",
        "wrong_type",
        "equal",
    ),
    "an array that equals everything": Act(
        "a subclass of ndarray with its own __eq__",
        "class Yes(np.ndarray):\n    def __eq__(self, other): return np.ones(self.shape, bool)\n"
        "def wave(x):\n    return np.asarray(x).view(Yes)",
        "wrong_value",
        "all",
    ),
    "an array that takes ufuncs over": Act(
        "__array_ufunc__ makes every difference zero",
        "class Yes(np.ndarray):\n    def __array_ufunc__(self, *a, **k): return np.zeros(5)\n"
        "def wave(x):\n    return np.asarray(x).view(Yes)",
        "wrong_value",
        "within",
    ),
    "an array that takes functions over": Act(
        "__array_function__ answers np.allclose",
        "class Yes:\n    def __array_function__(self, *a): return True\ndef wave(x):\n    return Yes()",
        "wrong_type",
        "allclose",
    ),
    "an object that becomes the right array": Act(
        "__array__ looks the answer up in whoever asks",
        """
        class Later:
            def __array__(self, *a, **k):
                frame = sys._getframe()
                while frame and "expected" not in frame.f_globals: frame = frame.f_back
                return frame.f_globals["expected"]
        def wave(x):
            return Later()
        """,
        "wrong_type",
        "allclose",
    ),
    "a number that is no number": Act(
        "NaN, of which nothing is larger", "def wave(x):\n    return np.full_like(x, np.nan)", "not_finite", "not wrong"
    ),
    "rows of several lengths": Act(
        "lists of which no array can be made, though the first levels look like one",
        "def wave(x):\n    return [[[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]]]",
        "wrong_type",
        _STUMBLE,
    ),
    "half of a character": Act(
        "a message that no file in UTF-8 can hold: who quotes it cannot keep the record",
        "def wave(x):\n    raise ValueError('\\ud800')",
        "raised",
        _STUMBLE,
    ),
    "half of a character for a key": Act(
        "the same in what it returns", "def wave(x):\n    return {'\\ud800': 1.0}", "wrong_type", _STUMBLE
    ),
    "keys of thousands of digits": Act(
        "reading and writing an integer takes the square of its length",
        "def wave(x):\n    return {10**4200 + number: 1.0 for number in range(300)}",
        "wrong_type",
        _STUMBLE,
    ),
    "numbers as large as there are": Act(
        "whose squares and differences are infinite",
        "def wave(x):\n    return np.full_like(x, 1.7e308) * (-1) ** np.arange(len(x))",
        "wrong_value",
        _STUMBLE,
    ),
    "an array of nothing": Act(
        "no number, so none is wrong", "def wave(x):\n    return np.zeros((0, 1))", "wrong_shape", "not wrong"
    ),
    "expected values in the caller's frame": Act(
        "sys._getframe",
        """
        def wave(x):
            frame = sys._getframe()
            while frame:
                for names in (frame.f_locals, frame.f_globals):
                    if "expected" in names: return names["expected"]
                frame = frame.f_back
        """,
        "wrong_type",
        "allclose",
    ),
    "expected values among all objects": Act(
        "gc.get_objects: any array as long as the argument that is not it",
        """
        import gc
        def wave(x):
            for holder in gc.get_objects():
                if isinstance(holder, dict) and isinstance(holder.get("expected"), np.ndarray):
                    return holder["expected"]
            for holder in gc.get_objects():
                parts = holder.values() if type(holder) is dict else holder if type(holder) in (list, tuple) else ()
                for part in list(parts):
                    if isinstance(part, np.ndarray) and part.shape == x.shape and not np.shares_memory(part, x):
                        if not np.array_equal(part, x): return part
        """,
        "wrong_type wrong_value",
        "allclose",
    ),
    "expected values in modules": Act(
        "whatever any module knows under such a name",
        """
        def wave(x):
            for module in list(sys.modules.values()):
                for name in ("expected", "reference", "suite", "answers", "topics", "key"):
                    found = getattr(module, name, None)
                    if callable(found): return found(x)
                    if isinstance(found, np.ndarray): return found
        """,
        "wrong_type wrong_value raised",
        "allclose: the cells run in a namespace of their own there",
    ),
    "a profiler": Act(
        "sys.setprofile sees every local of whoever calls",
        """
        seen = []
        def look(frame, event, argument):
            for names in (frame.f_globals, frame.f_back.f_globals if frame.f_back else {}):
                if isinstance(names.get("expected"), np.ndarray): seen.append(names["expected"])
        sys.setprofile(look)
        def wave(x):
            sys.setprofile(None)
            return seen[0] if seen else None
        """,
        "wrong_type",
        "allclose",
    ),
    "exit well": Act("sys.exit(0) for an answer", "def wave(x):\n    sys.exit(0)", "raised", "allclose"),
    "exit at once": Act("os._exit(0) for an answer", "def wave(x):\n    os._exit(0)", "crashed", "status"),
    "exit at loading": Act(
        "end the process before anything is asked",
        "sys.stdout.flush()\nos._exit(0)\ndef wave(x):\n    return x",
        "wrong_value",
        "status",
    ),
    "last word of the output": Act(
        "print a passing result and end",
        "print('passed')\nsys.stdout.flush()\nos._exit(0)\ndef wave(x): return x",
        "wrong_value missing",
        "output",
    ),
    "last word at exit": Act(
        "atexit", "import atexit\natexit.register(print, 'passed')\ndef wave(x):\n    return x", "wrong_value", "output"
    ),
    "last word of a hook": Act(
        "sys.excepthook turns every failure into a good end",
        "sys.excepthook = lambda *a: (sys.stdout.flush(), os._exit(0))\ndef wave(x):\n    raise ValueError",
        "raised",
        "status",
    ),
    "points in a global name": Act(
        "set the score in the frame of whoever runs the cells",
        "frame = sys._getframe()\nwhile frame:\n    if 'score' in frame.f_globals: frame.f_globals['score'] = 10\n"
        "    frame = frame.f_back\ndef wave(x):\n    return x",
        "wrong_value",
        "score",
    ),
    "a file of results": Act(
        "write the files that graders write",
        "import json\nfor name in ('results.jsonl', 'grades.csv', 'gradebook.db', 'results.json', '.OTTER_LOG'):\n"
        "    with open(name, 'w') as file: json.dump({'points': 3000}, file)\ndef wave(x):\n    return x",
        "wrong_value",
        "a grader that reads such a file is written in a line and shows nothing",
    ),
    "a pickle that runs": Act(
        "an answer whose __reduce__ is a call in whoever reads it",
        "class Boom:\n    def __reduce__(self):\n        return eval, ('__import__(\"__main__\").expected',)\n"
        "def wave(x):\n    return Boom()",
        "wrong_type",
        "pickle",
    ),
    "json is another": Act(
        "patch what writes answers down",
        'import json\njson.dumps = lambda *a, **k: \'{"status": "returned", "points": 10}\'\ndef wave(x):\n    return x',
        "wrong_value",
        "json",
    ),
    "isinstance is nothing": Act(
        "patch built-ins that the worker uses",
        "import builtins\nfor name in ('isinstance', 'type', 'len', 'getattr', 'bytes', 'callable'):\n"
        "    setattr(builtins, name, lambda *a: True)\ndef wave(x):\n    return x",
        "crashed raised wrong_value wrong_type missing not_finite timed_out",
        "it fools nobody in particular: it looks for what trusts it",
        also=False,
    ),
    "the public seed by heart": Act(
        "answers of the public examples, and nothing else",
        "def wave(x):\n    return {1: np.array([0.8414709848])}.get(len(x), np.zeros_like(x))",
        "wrong_value",
        "it is right on the public examples, and nobody grades by those",
    ),
    "echo": Act("return what came in", "def wave(x):\n    return x", "wrong_value", "it is the plainest wrong answer"),
    "torch where it is absent": Act(
        "have a library do the work",
        "import torch\ndef wave(x):\n    return torch.tensor(x) * torch.sin(torch.tensor(x))",
        "forbidden",
        "whether torch is installed differs from machine to machine",
    ),
    "jax where it is absent": Act(
        "jax.grad",
        "def wave(x):\n    import jax\n    return jax.numpy.sin(x) * x",
        "forbidden",
        "whether jax is installed differs from machine to machine",
    ),
    "import by another way": Act(
        "load our own checks by the import machinery",
        "import importlib\ndef wave(x):\n    return importlib.import_module('reference.waves').wave(x)",
        "forbidden",
        "the reference is importable where the course's folder is on the path, and nowhere else",
    ),
    "import of the grader": Act(
        "the parts of this project that know answers",
        "def wave(x):\n    from autograder.suite import store\n    return store",
        "forbidden",
        "it is what every file of ours does",
    ),
    "an input transformer": Act(
        "rewrite the cells that follow",
        "from IPython import get_ipython\nget_ipython().input_transformers_post.append(lambda lines: ['wave = 1'])\n"
        "def wave(x):\n    return x",
        "wrong_value missing",
        "it needs a kernel of IPython, which runs the grader's cells too",
    ),
}
