"""How does a value cross the wall between examiner and worker?

A payload is `u32 length of the JSON | JSON | safetensors`: JSON holds the structure, safetensors the
arrays. Nothing in it is ever executed. Both sides are capped, and both sides rebuild what they
receive from bytes, so an object of the other side never arrives, only what it looked like.

This module and `sandbox/worker*.py` are the only code of ours beside the student's: standard
library, NumPy and safetensors only.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy

MAX_PAYLOAD = 64 * 2**20  # bytes of one payload
MAX_STRUCTURE = 16 * 2**20  # bytes of its JSON, which takes many times its size once it is read
MAX_DEPTH = 48  # levels of nesting
MAX_NODES = 400_000  # values in one structure, a program's steps included
_LENGTH = struct.Struct(">I")
_MAX_INT = 2**63
_ARRAY_KINDS = "fiub"
_ARRAY_DTYPES = frozenset(
    np.dtype(name) for name in ("bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
)


class CodecError(ValueError):
    """A payload or a value is not one that may cross: malformed, too large or of a foreign kind."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A value that stayed in the worker: its number there, and in words what it is."""

    number: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Stub:
    """A function that stays with the examiner: calling it in the worker asks the examiner."""

    number: int


@dataclass(frozen=True, slots=True)
class Seed:
    """A random generator: the worker makes a new `numpy.random.Generator` of this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Register:
    """The result of an earlier step of the same program."""

    number: int


_MARKERS: dict[str, type] = {"handle": Handle, "stub": Stub, "seed": Seed, "register": Register}
_TAGS = {marker: tag for tag, marker in _MARKERS.items()}


def encode(value: Any, *, foreign: Callable[[Any], Handle] | None = None) -> bytes:
    """Turn a tree of numbers, strings, arrays and containers into a payload.

    `foreign` decides what stands for an object that has no form on the wire; without it such an
    object is a CodecError. Torch tensors arrive as arrays.
    """
    encoder = _Encoder(foreign)
    structure = _WRITER.encode(encoder.node(value, 0)).encode()
    size = sum(array.nbytes for array in encoder.arrays.values())
    if size > MAX_PAYLOAD:  # before they are copied: the library ends the process where memory runs out
        raise CodecError(f"{size} bytes of arrays are more than may cross")
    arrays = safetensors.numpy.save(encoder.arrays) if encoder.arrays else b""
    payload = _LENGTH.pack(len(structure)) + structure + arrays
    if len(payload) > MAX_PAYLOAD or len(structure) > MAX_STRUCTURE:
        raise CodecError(f"{len(payload)} bytes, {len(structure)} of structure, are more than may cross")
    return payload


def decode(payload: bytes) -> Any:
    """Rebuild the tree of a payload. Anything that `encode` could not have written is a CodecError."""
    if not _LENGTH.size <= len(payload) <= MAX_PAYLOAD:
        raise CodecError(f"a payload of {len(payload)} bytes")
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size + length
    if start > len(payload) or length > MAX_STRUCTURE:
        raise CodecError("the structure is longer than the payload, or than may cross")
    try:
        structure = _READER.decode(payload[_LENGTH.size : start].decode())
        arrays = safetensors.numpy.load(payload[start:]) if start < len(payload) else {}
    except CodecError:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, OverflowError) as error:
        raise CodecError(f"malformed payload: {type(error).__name__}") from error
    except safetensors.SafetensorError as error:
        raise CodecError("malformed arrays") from error
    return _Decoder(arrays).node(structure, 0)


class _Encoder:
    def __init__(self, foreign: Callable[[Any], Handle] | None) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.foreign = foreign
        self.nodes = 0

    def node(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise CodecError("the value is nested too deeply or has too many parts")
        kind = type(value)
        if kind is np.ndarray:
            return self.array(value, depth)
        if value is None or kind is bool or kind is str:
            return value
        if kind is Register or kind is Stub or kind is Seed:
            return {_TAGS[kind]: [value.number]}
        if isinstance(value, np.ndarray | np.generic):
            return self.array(value, depth)
        if isinstance(value, bool | int):
            number = int(value)
            return number if -_MAX_INT <= number < _MAX_INT else self.other(value, depth)
        if isinstance(value, float):
            real = float(value)
            if real - real == 0:
                return real
            return {"float": "nan" if real != real else "inf" if real > 0 else "-inf"}
        if isinstance(value, str):
            return str(value)
        if isinstance(value, tuple):
            return {"tuple": [self.node(item, depth + 1) for item in value]}
        if isinstance(value, list):
            return [self.node(item, depth + 1) for item in value]
        if isinstance(value, dict) and all(map(_is_key, value)):
            return {"dict": [[key, self.node(item, depth + 1)] for key, item in value.items()]}
        if isinstance(value, Handle):
            return {"handle": [value.number, value.description[:200]]}
        if type(value).__module__.split(".")[0] == "torch" and hasattr(value, "detach"):
            return self.tensor(value, depth)
        return self.other(value, depth)

    def array(self, value: "np.ndarray | np.generic", depth: int) -> Any:
        tag = "scalar" if isinstance(value, np.generic) else "array"
        if (size := np.asarray(value).nbytes) > MAX_PAYLOAD:  # a view of one number may be as large as it likes
            raise CodecError(f"an array of {size} bytes is more than may cross")
        plain = np.array(value, copy=True, subok=False, order="C")
        if plain.dtype.kind == "f" and plain.dtype.itemsize > 8:
            plain = plain.astype(np.float64)
        native = plain.dtype if plain.dtype.isnative else plain.dtype.newbyteorder("=")
        if native not in _ARRAY_DTYPES:
            if isinstance(value, np.str_):
                return str(value)
            return self.other(value, depth)
        name = str(len(self.arrays))
        self.arrays[name] = plain.astype(native, copy=False)
        return {tag: name}

    def tensor(self, value: Any, depth: int) -> Any:
        plain = value.detach().cpu()
        if plain.dtype.is_floating_point and plain.dtype.itemsize < 4:
            plain = plain.float()
        if plain.dtype.is_complex or plain.is_sparse or plain.is_quantized:
            return self.other(value, depth)
        return self.array(plain.resolve_neg().numpy(), depth)

    def other(self, value: Any, depth: int) -> Any:
        if self.foreign is None:
            raise CodecError(f"a {type(value).__name__} cannot cross")
        return self.node(self.foreign(value), depth + 1)


class _Decoder:
    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.nodes = 0

    def node(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise CodecError("the structure is nested too deeply or has too many parts")
        kind = type(node)  # a JSON document holds no other types than these
        if kind is dict and len(node) == 1:
            ((tag, body),) = node.items()
            return self.tagged(tag, body, depth)
        if kind is list:
            return [self.node(item, depth + 1) for item in node]
        if kind is int and not -_MAX_INT <= node < _MAX_INT:
            raise CodecError("an integer beyond 64 bits")
        if kind is dict:
            raise CodecError("an unknown form")
        return _text(node) if kind is str else node

    def tagged(self, tag: str, body: Any, depth: int) -> Any:
        if tag in ("array", "scalar"):
            array = self.arrays.get(body) if isinstance(body, str) else None
            if array is None or array.dtype not in _ARRAY_DTYPES or (tag == "scalar" and array.ndim):
                raise CodecError("an array that is not there or may not cross")
            return array[()] if tag == "scalar" else array
        if tag == "float" and body in ("nan", "inf", "-inf"):
            return float(body)
        if not isinstance(body, list):
            raise CodecError("an unknown form")
        if tag == "tuple":
            return tuple(self.node(item, depth + 1) for item in body)
        if tag == "dict":
            return dict(self.pair(item, depth) for item in body)
        if tag in _MARKERS and body and type(body[0]) is int and 0 <= body[0] < _MAX_INT:
            if tag == "handle" and len(body) == 2 and isinstance(body[1], str):
                return Handle(body[0], _text(body[1]))
            if tag != "handle" and len(body) == 1:
                return _MARKERS[tag](body[0])
        raise CodecError("an unknown form")

    def pair(self, item: Any, depth: int) -> tuple[str | int, Any]:
        if not isinstance(item, list) or len(item) != 2 or not _is_key(item[0]):
            raise CodecError("a dict entry that is no pair of key and value")
        key = _text(item[0]) if isinstance(item[0], str) else item[0]
        return key, self.node(item[1], depth + 1)


def _is_key(key: Any) -> bool:
    return type(key) is str or (type(key) is int and -_MAX_INT <= key < _MAX_INT)


def _text(text: str) -> str:
    """The text, with `?` for what is half of a character: JSON can hold that, and no file of ours."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _refuse_constant(name: str) -> float:
    raise CodecError(f"{name} is not JSON")


_WRITER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_READER = json.JSONDecoder(parse_constant=_refuse_constant)
