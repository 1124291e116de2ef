"""Fuzzing of the codec: which frames does it start from, how are they changed, and what must hold of each?

An input that begins with 0xff is no frame but a recipe of values to encode: one byte an ingredient.
"""

import json
import math
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from autograder.values import codec
from autograder.values.codec import CodecError, Handle, Register, Seed, Stub
from tests.fuzz.trees import changed

CODE = codec
RECIPE = 0xFF
WORDS = ("array", "scalar", "tuple", "dict", "float", "handle", "stub", "seed", "register", "0", "1", "nan", "inf")
LEAVES: tuple[Any, ...] = (
    {"array": "0"}, {"scalar": "1"}, {"float": "nan"}, {"handle": [1, "x"]}, {"stub": [0]}, {"seed": [7]},
    {"register": [2]}, {"tuple": [1, 2]}, {"dict": [["k", 1], [2, "v"]]}, {"dict": [[[], 1]]}, {"handle": [1]},
)  # fmt: skip
_DTYPES = ("BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "F32", "I64", "F64", "F8_E4M3", "X")


class _Foreign:
    """Something that has no form on the wire."""


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


# What a recipe's bytes stand for; every branch of the encoder has one.
INGREDIENTS: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: True, lambda: "text", lambda: 5, lambda: 2**70, lambda: 0.25, lambda: math.nan,
    lambda: -math.inf, lambda: math.inf, lambda: (1, (2,)), lambda: [1, [2]], lambda: {"a": 1, 2: "b"},
    lambda: {(1, 2): 3}, lambda: Register(1), lambda: Stub(2), lambda: Seed(3), lambda: Handle(4, "h" * 300),
    lambda: np.arange(6.0).reshape(2, 3), lambda: np.float32(1.5), lambda: np.str_("s"), lambda: np.longdouble(1) / 3,
    lambda: np.array([1, 2], dtype=">i4"), lambda: np.array(["a"]), lambda: np.array([None], dtype=object),
    lambda: np.array([1 + 2j]), lambda: np.ma.masked_array([1.0, 2.0], [0, 1]), lambda: np.zeros((0, 3)),
    lambda: torch.ones(2, requires_grad=True), lambda: torch.ones(2, dtype=torch.bfloat16),
    lambda: torch.ones(2, dtype=torch.complex64), lambda: torch.eye(2).to_sparse(), _Foreign, lambda: range(3),
    lambda: type("Text", (str,), {})("sub"), lambda: type("Whole", (int,), {})(7), lambda: _deep(60), lambda: {1, 2},
    lambda: np.lib.stride_tricks.as_strided(np.zeros(1), (2**24, 2), (0, 0)),
)  # fmt: skip


def seeds() -> list[bytes]:
    """Frames as examiner and worker send them, and a recipe of each ingredient."""
    values = [
        {"status": "returned", "value": (np.arange(6.0).reshape(2, 3), np.float32(2.0))},
        {"status": "raised", "step": 1, "detail": {"type": "ValueError", "text": "no", "line": 3}},
        {"steps": np.zeros((3, 4), dtype=np.int32), "constants": ["f", Register(0), 0.5], "returns": [Register(1)]},
        (3, (np.ones(2), Stub(1)), {"seed": Seed(4), "handle": Handle(1, "an object")}),
        [math.nan, math.inf, -math.inf, None, True, "é李", 2**62, {1: "a", "b": ()}],
        {"value": {str(number): np.zeros(number, dtype=kind) for number, kind in enumerate(("?", "i1", "u8", "f2"))}},
    ]
    hollow = [
        struct.pack(">I", 4) + b"null",
        b"",
        struct.pack(">I", 2**31) + b"{}",
        struct.pack(">I", 9) + b'{"a":NaN}',
    ]
    recipes = [bytes([RECIPE, number]) for number in range(len(INGREDIENTS))]
    tagged = [_frame(leaf, {"0": np.ones(2), "1": np.array(2.0)}) for leaf in LEAVES]
    bad = [_frame({"array": "0", "b": 1}, {}), _frame(2**63, {}), _frame({"float": "x"}, {}), _frame(_deep(60), {})]
    return [*(codec.encode(value) for value in values), *hollow, *recipes, *tagged, *bad]


def _frame(structure: Any, arrays: dict[str, np.ndarray]) -> bytes:
    import safetensors.numpy

    written = json.dumps(structure).encode()
    return struct.pack(">I", len(written)) + written + (safetensors.numpy.save(arrays) if arrays else b"")


def try_one(data: bytes) -> bool | None:
    """Whether a frame passed the layer of JSON; None for a recipe. Raises whatever a wrong codec does."""
    if data[:1] == bytes([RECIPE]):
        _encode([INGREDIENTS[byte % len(INGREDIENTS)]() for byte in data[1:9]])
        return None
    try:
        value = codec.decode(data)
    except CodecError:
        return _is_json(data)
    again = codec.decode(codec.encode(value))
    assert _same(value, again), f"{value!r} came back as {again!r}"
    return True


def _encode(values: list[Any]) -> None:
    for foreign in (None, lambda value: Handle(0, type(value).__name__)):
        try:
            payload = codec.encode(values, foreign=foreign)
        except CodecError:
            continue
        assert len(payload) <= codec.MAX_PAYLOAD
        assert len(codec.decode(payload)) == len(values)


def _is_json(data: bytes) -> bool:
    try:
        (length,) = struct.unpack_from(">I", data)
        json.loads(data[4 : 4 + length])
    except (ValueError, RecursionError, struct.error):
        return False
    return 4 + length <= len(data)


def _same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray | np.generic):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, Handle):
        return left.number == right.number and left.description[:200] == right.description
    return left == right or (left != left and right != right)


def mutate(data: bytes, size: int, seed: int, blind: Callable[[bytes, int], bytes]) -> bytes:
    """Another input: mostly one whose structure still is JSON. blind: changes bytes as the fuzzer likes."""
    chance = random.Random(seed)
    if data[:1] == bytes([RECIPE]) and chance.random() < 0.9:
        data = chance.choice(_STARTS)  # recipes are few and soon tried
    if data[:1] == bytes([RECIPE]):
        return bytes([RECIPE]) + blind(data[1:] or b"\0", min(size, 9) - 1)
    kind = chance.random()
    try:
        (length,) = struct.unpack_from(">I", data)
        structure, arrays = json.loads(data[4 : 4 + length]), data[4 + length :]
    except (ValueError, RecursionError, struct.error):
        if kind < 0.5:
            return chance.choice(_STARTS)[:size]
        return blind(data, size)
    if kind < 0.55:
        structure = changed(structure, chance, WORDS, LEAVES)
    elif kind < 0.75:
        arrays = _other_arrays(arrays, chance, blind, size)
    elif kind < 0.9:
        written = blind(data[4 : 4 + length] or b"{}", max(size - 4 - len(arrays), 2))
        return (struct.pack(">I", len(written)) + written + arrays)[:size]
    else:
        return blind(data, size)
    written = json.dumps(structure, separators=(",", ":")).encode()
    return (struct.pack(">I", len(written)) + written + arrays)[:size]


def _other_arrays(arrays: bytes, chance: random.Random, blind: Callable[[bytes, int], bytes], size: int) -> bytes:
    """safetensors with another header, or other bytes after it."""
    try:
        (length,) = struct.unpack_from("<Q", arrays)
        header = json.loads(arrays[8 : 8 + length])
        name = chance.choice(list(header))
        part = header[name]
        match chance.randrange(5):
            case 0:
                part["dtype"] = chance.choice(_DTYPES)
            case 1:
                part["shape"] = [chance.choice((0, 1, 2, 3, 2**31, 2**62, 2**64)) for _ in range(chance.randrange(4))]
            case 2:
                part["data_offsets"] = [chance.choice((0, 8, 16, 2**40, 2**64 - 1)) for _ in range(2)]
            case 3:
                header[chance.choice(("0", "1", "2", "__metadata__"))] = dict(part)
            case _:
                length = chance.choice((0, 1, 2**20, 2**63))
                return struct.pack("<Q", length) + arrays[8:]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error):
        return blind(arrays or b"\0", size)
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + arrays[8 + struct.unpack_from("<Q", arrays)[0] :]


_STARTS = [seed for seed in seeds() if seed[:1] != bytes([RECIPE]) and len(seed) > 8]
