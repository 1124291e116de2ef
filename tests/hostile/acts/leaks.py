"""Ways in which hidden inputs might come back to the student: in what is said about their own failure."""

from tests.hostile.act import Act

_SEEN = "what students are shown is searched for every hidden number"


def _act(tries: str, code: str, gets: str) -> Act:
    return Act(tries, code, gets, _SEEN)


ACTS = {
    "in the message of an exception": _act(
        "raise the input", "def wave(x):\n    raise ValueError(repr(x.tolist()))", "raised"
    ),
    "in the name of an exception": _act(
        "name a class after the input",
        "def wave(x):\n    raise type('E' + repr(float(x.flat[0])), (Exception,), {})",
        "raised",
    ),
    "in the name of a module": _act(
        "import what is called so", "def wave(x):\n    __import__(repr(float(x.flat[0])))", "forbidden raised"
    ),
    "in the name of a file": _act(
        "compile under a name, and fail there",
        "def wave(x):\n    exec(compile('1/0', f'<cell {float(x.flat[0])!r}>', 'exec'))",
        "raised",
    ),
    "in the place of an exception": _act(
        "fail at a cell and a line whose numbers are digits of the input",
        """
        def wave(x):
            digits = repr(float(x.flat[0])).replace(".", "").lstrip("0")
            code = "\\n" * (10000 + int(digits[4:8]) - 1) + "1/0"
            exec(compile(code, f"<cell {digits[:4]}>", "exec"))
        """,
        "raised",
    ),
    "in a line of a cell": _act(
        "forge the source that a traceback shows",
        "import linecache\ndef wave(x):\n    linecache.cache['<cell 3>'] = (9, None, [repr(x.tolist())] * 99, '<cell 3>')\n    raise ValueError",
        "raised",
    ),
    "in the type of the answer": _act(
        "return a type named so", "def wave(x):\n    return type(repr(x.tolist()), (), {})()", "wrong_type"
    ),
    "in the keys of the answer": _act(
        "return a dict with the input for keys",
        "def wave(x):\n    return {repr(number): 1.0 for number in x.tolist()}",
        "wrong_type",
    ),
    "in the shape of the answer": _act(
        "return as many zeros as a digit says",
        "def wave(x):\n    return np.zeros((int(abs(x.flat[0]) * 1000) % 997 + 50, 1, 1))",
        "wrong_shape",
    ),
    "in the answer": _act("return the input", "def wave(x):\n    return x + 0", "wrong_value"),
    "in the output": _act(
        "print it",
        "def wave(x):\n    print(x.tolist(), file=sys.stderr)\n    print(x.tolist())\n    return None",
        "wrong_type",
    ),
    "in a warning": _act(
        "warn of it",
        "import warnings\ndef wave(x):\n    warnings.warn(repr(x.tolist()))\n    return None",
        "wrong_type",
    ),
    "in a file": _act(
        "write it down",
        "def wave(x):\n    np.save('/dev/shm/' + repr(float(x.flat[0])), x)\n    return None",
        "wrong_type",
    ),
    "in a note of an exception": _act(
        "add_note and a cause",
        "def wave(x):\n    e = ValueError('x')\n    e.add_note(repr(x.tolist()))\n    raise e from KeyError(repr(x.tolist()))",
        "raised",
    ),
    "in a global name for later": _act(
        "keep it until the other question",
        "kept = []\ndef wave(x):\n    kept.append(x)\n    return kept[0] if len(kept) > 1 else None",
        "wrong_type wrong_value wrong_shape",
    ),
}
