"""Lies on the wire: the notebook speaks in the worker's place, or changes what the worker is made of."""

from tests.hostile.act import Act

_PROTOCOL = "it speaks the words of this jail, which nothing else understands"
PEER = """
import gc, socket, struct, time
from autograder.sandbox import wire, worker_answer
from autograder.values import codec
def peer():
    return next(o for o in gc.get_objects() if isinstance(o, socket.socket) and o.fileno() >= 0)
"""


def _says(tries: str, body: str, gets: str = "crashed", *, also: bool = True) -> Act:
    return Act(tries, PEER + body, gets, _PROTOCOL, also=also)


def _sends(tries: str, statement: str, gets: str = "crashed") -> Act:
    return _says(tries, f"def wave(x):\n    {statement}\n    return x * np.sin(x) if False else None\n", gets)


def _answers(tries: str, tree: str, gets: str = "crashed") -> Act:
    """Every answer is this tree, whatever is asked, also at the other question."""
    body = f"worker_answer.Desk.answer = lambda self, payload: codec.encode({tree})\ndef wave(x):\n    return x\n"
    return _says(tries, body, gets, also=False)


def _bytes(tries: str, expression: str) -> Act:
    """Every answer is these bytes."""
    body = f"lie = {expression}\nworker_answer.Desk.answer = lambda self, payload: lie\ndef wave(x):\n    return x\n"
    return _says(tries, body, also=False)


def _tensors(header: str, data: str = "bytes(64)") -> str:
    structure = """b'{"dict":[["status","returned"],["value",{"dict":[["wave",{"array":"0"}]]}]]}'"""
    return (
        f"(lambda s, h, d: struct.pack('>I', len(s)) + s + struct.pack('<Q', len(h)) + h + d)"
        f"({structure}, {header}, {data})"
    )


ACTS = {
    "answer before it is asked": _says(
        "an answer waits when the question comes",
        "worker = __import__('autograder.sandbox.worker', fromlist=['x'])\n"
        "honest = worker._answer\n"
        "def early(peer, loader):\n"
        "    wire.send(peer, 1, bytes(16), bytes([1]), codec.encode({'status': 'returned', 'value': None}))\n"
        "    honest(peer, loader)\n"
        "worker._answer = early\n"
        "def wave(x):\n    return x\n",
        also=False,
    ),
    "answer twice": _says(
        "the second answer is taken for that of the next question",
        "once = wire.send\n"
        "def twice(peer, channel, *parts):\n"
        "    once(peer, channel, *parts)\n"
        "    if len(parts) == 3: once(peer, channel, *parts)\n"
        "wire.send = twice\ndef wave(x):\n    return x\n",
        "wrong_value crashed",
        also=False,
    ),
    "replay": _says(
        "an earlier answer under an earlier nonce",
        "once, kept = wire.send, []\n"
        "def again(peer, channel, *parts):\n"
        "    if len(parts) == 3: kept.append(parts); parts = kept[0]\n"
        "    once(peer, channel, *parts)\n"
        "wire.send = again\ndef wave(x):\n    return x\n",
        "wrong_value crashed",
        also=False,
    ),
    "answer of a copy": _says(
        "two processes answer one question", "def wave(x):\n    os.fork()\n    return x\n", "wrong_value"
    ),
    "foreign nonce": _sends("an answer under another nonce", "wire.send(peer(), 1, bytes(16), bytes([1]), b'')"),
    "control frame": _sends("speak as the warden", 'wire.send(peer(), 0, b\'{"event": "ended", "status": "passed"}\')'),
    "unknown channel": _sends("a channel that there is not", "peer().sendall(struct.pack('>IB', 1, 7) + b'x')"),
    "unknown kind": _sends("a kind of frame that there is not", "wire.send(peer(), 1, bytes(16), bytes([9]), b'x')"),
    "noise": _sends("no frame at all", "peer().sendall(os.urandom(0) + b'\\xff' * 4096)"),
    "empty frame": _sends("a frame of nothing", "wire.send(peer(), 1, b'')"),
    "endless frame": _sends("four gigabytes are announced", "peer().sendall(struct.pack('>IB', 2**32 - 1, 1))"),
    "half a frame": _sends(
        "half a frame, then sleep", "peer().sendall(struct.pack('>IB', 99, 1) + b'x'); time.sleep(99)", "timed_out"
    ),
    "a frame byte by byte": _sends(
        "so slowly that every read has something",
        "p = peer(); p.sendall(struct.pack('>IB', 9999, 1)); [(p.sendall(b'x'), time.sleep(0.02)) for _ in range(9999)]",
        "timed_out",
    ),
    "flood": _sends(
        "answers without end",
        "p = peer(); d = bytes(2**20)\n    while True: wire.send(p, 1, bytes(16), bytes([1]), d)",
    ),
    "silence": _sends("close the wire and go on", "peer().shutdown(2); time.sleep(99)"),
    "descriptors over the wire": _sends(
        "hand the warden descriptors until it has no more",
        "p = peer(); [socket.send_fds(p, [b'x'], list(range(3)) * 80) for _ in range(9)]",
    ),
    "call that nobody offered": _sends(
        "call a function of the examiner's that was not sent",
        "wire.send(peer(), 1, bytes(16), bytes([2]), codec.encode((0, (), {})))",
    ),
    "accept the next connection": _says(
        "accept on whatever socket was inherited, and answer for somebody else",
        "def attack():\n"
        "    for number in range(3, 256):\n"
        "        try: s = socket.socket(fileno=os.dup(number))\n"
        "        except OSError: continue\n"
        "        try: return s.accept()\n"
        "        except OSError: pass\n"
        "def wave(x):\n    return x * np.sin(x) if attack() else None\n",
        "wrong_type",
    ),
    "points in an answer": _answers("say what it is worth", "{'status': 'passed', 'points': 10}"),
    "another form": _answers("an answer of another form", "{'status': 'returned', 'value': [1, 2, {'x': 3}]}"),
    "ours to explain": _answers(
        "claim that the fault is the grader's", "{'status': 'not_graded', 'step': 0, 'detail': {}}"
    ),
    "missing by its own word": _answers(
        "claim what it likes of how it failed",
        "{'status': 'raised', 'step': 0, 'detail': {'type': '<b>x</b>', 'text': 5, 'line': True, 'limit': np.ones(3)}}",
        "raised",
    ),
    "absurd step": _answers("fail at a step that there is not", "{'status': 'raised', 'step': 10**9, 'detail': {}}"),
    "shape that lies": _bytes(
        "an array of a billion rows and 64 bytes",
        _tensors("""b'{"0":{"dtype":"F64","shape":[1000000000],"data_offsets":[0,64]}}'"""),
    ),
    "offsets that lie": _bytes(
        "an array that ends beyond the frame",
        _tensors("""b'{"0":{"dtype":"F64","shape":[8],"data_offsets":[0,9223372036854775807]}}'"""),
    ),
    "offsets below zero": _bytes(
        "an array that begins before the frame",
        _tensors("""b'{"0":{"dtype":"F64","shape":[8],"data_offsets":[-64,0]}}'"""),
    ),
    "dtype that nobody knows": _bytes(
        "an array of objects", _tensors("""b'{"0":{"dtype":"OBJ","shape":[8],"data_offsets":[0,64]}}'""")
    ),
    "header that lies": _bytes(
        "a header of 2**63 bytes", "struct.pack('>I', 2) + b'{}' + struct.pack('<Q', 2**63) + b'{}'"
    ),
    "deep structure": _bytes("a hundred thousand levels", "struct.pack('>I', 200000) + b'[' * 100000 + b']' * 100000"),
    "numbers beyond 64 bits": _bytes("an integer of 4000 digits", "struct.pack('>I', 4000) + b'9' * 4000"),
    "names that are not": _bytes(
        "NaN for a key and for a number", "struct.pack('>I', 30) + b'{\"d\":[[NaN,1],[Infinity,NaN]]}  '"
    ),
    "structure that lies about its length": _bytes("longer than the frame", "struct.pack('>I', 2**31) + b'{}'"),
    "text that is none": _bytes("bytes that are no UTF-8", "struct.pack('>I', 4) + b'\"\\xff\\xfe\"'"),
    "another codec": _says(
        "encode everything as the value of the reference's",
        "codec.encode = lambda *a, **k: b''\ndef wave(x):\n    return x\n",
        also=False,
    ),
    "raise inside the codec": _says(
        "an array whose bytes raise",
        "class Bad(np.ndarray):\n    def __getattribute__(self, name): raise SystemExit('no')\n"
        "def wave(x):\n    return np.asarray(x).view(Bad)\n",
        "raised wrong_value wrong_type crashed",
    ),
    "a copy that is not": _says(
        "the loader names another process as its copy",
        "honest = wire.send\n"
        "def lie(peer, channel, *parts):\n"
        "    honest(peer, channel, *((b'1' * 400,) if channel == 0 else parts))\n"
        "wire.send = lie\ndef wave(x):\n    return x\n",
        "wrong_value",
    ),
    "a report of lies": _says(
        "the loader says that nothing is missing, and what it likes in its notes",
        "import json\nhonest = json.dumps\n"
        "json.dumps = lambda tree: honest({'missing': [], 'notes': [[1, 'x' * 9999, '\\u202e' * 99, {}], 5, None]})\n"
        "def wave(x):\n    return x\ndel wave\n",
        "missing",
    ),
}
