"""The wire: what goes in comes out, and nothing malformed gets through."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.values import codec
from autograder.values.codec import CodecError, Handle, Register, Stub, decode, encode

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(-5, 5), inner, max_size=4)
    ),
    max_leaves=20,
)
arrays = hnp.arrays(
    st.sampled_from([np.bool_, np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64]),
    hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
)


def same(one: object, other: object) -> bool:
    if isinstance(one, float):
        return isinstance(other, float) and (one == other or (one != one and other != other))
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@pytest.mark.slow
@settings(derandomize=True, max_examples=200, deadline=None)
@given(plain)
def test_round_trip_of_plain_values_is_exact(value):
    assert same(value, decode(encode(value)))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(arrays)
def test_round_trip_of_arrays_keeps_dtype_shape_and_bits(array):
    back = decode(encode({"x": array}))["x"]
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert back.flags.writeable


def test_arrays_in_other_layouts_arrive_with_their_values():
    base = np.arange(24.0).reshape(2, 3, 4)
    for view in (base.T, base[:, ::-1], base[::2], base.astype(">f8"), np.asfortranarray(base)):
        np.testing.assert_array_equal(decode(encode(view)), view)


def test_markers_keep_their_type():
    value = [Handle(3, "tuple of length 2"), Stub(1), Register(0)]
    assert decode(encode(value)) == value


def test_subclass_of_array_arrives_as_plain_array():
    class Liar(np.ndarray):
        def __eq__(self, other):
            return np.ones(self.shape, bool)

    back = decode(encode(np.zeros(3).view(Liar)))
    assert type(back) is np.ndarray
    assert not (back == np.ones(3)).any()


@pytest.mark.parametrize(
    "value",
    [object(), {1.5: 2}, np.array(["a"]), np.array([object()]), 1 + 2j, np.zeros(2, complex), 2**70, b"x"],
    ids=lambda value: type(value).__name__,
)
def test_foreign_value_without_a_handle_is_an_error(value):
    with pytest.raises(CodecError):
        encode(value)


def test_foreign_value_becomes_what_foreign_says():
    assert decode(encode([object(), 2**70], foreign=lambda value: Handle(7, type(value).__name__))) == [
        Handle(7, "object"),
        Handle(7, "int"),
    ]


def test_value_that_holds_itself_is_an_error():
    value: list[object] = []
    value.append(value)
    with pytest.raises(CodecError, match="nested too deeply"):
        encode(value)


def framed(structure: object, rest: bytes = b"") -> bytes:
    text = structure if isinstance(structure, bytes) else json.dumps(structure).encode()
    return struct.pack(">I", len(text)) + text + rest


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\x00",
        struct.pack(">I", 2**32 - 1),
        framed(b"{"),
        framed(b"NaN"),
        framed(b"\xff\xfe"),
        framed(b"[" * 100_000),
        framed({"unknown": 1}),
        framed({"tuple": 3}),
        framed({"array": "0"}),
        framed({"scalar": "0"}, b"not safetensors"),
        framed({"float": "1e3"}),
        framed({"handle": [-1, ""]}),
        framed({"handle": ["x", ""]}),
        framed({"dict": [[1.5, 2]]}),
        framed({"dict": [["a"]]}),
        framed({"a": 1, "b": 2}),
        framed([10**30]),
        framed(b"1", struct.pack("<Q", 2**63) + b"{}"),
        framed(b"1", struct.pack("<Q", 60) + b'{"0":{"dtype":"F64","shape":[9],"data_offsets":[0,9999]}}   '),
    ],
    ids=range(20),
)
def test_malformed_payload_is_a_codec_error(payload):
    with pytest.raises(CodecError):
        decode(payload)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_but_a_codec_error(payload):
    try:
        decode(payload)
    except CodecError as error:
        assert str(error)


@pytest.mark.slow
@settings(derandomize=True, max_examples=300, deadline=None)
@given(plain, st.integers(0, 10_000), st.integers(0, 255))
def test_a_flipped_byte_never_raises_anything_but_a_codec_error(value, position, byte):
    payload = bytearray(encode([value, np.arange(3.0)]))
    payload[position % len(payload)] = byte
    try:
        decode(bytes(payload))
    except CodecError as error:
        assert str(error)


def test_structure_over_its_cap_is_refused_on_both_sides(monkeypatch):
    payload = encode("x" * 2000)
    monkeypatch.setattr(codec, "MAX_STRUCTURE", 1000)
    with pytest.raises(CodecError):
        encode("x" * 2000)
    with pytest.raises(CodecError):
        decode(payload)


def test_payload_over_the_cap_is_refused_on_both_sides(monkeypatch):
    monkeypatch.setattr(codec, "MAX_PAYLOAD", 1000)
    with pytest.raises(CodecError):
        encode(np.zeros(1000))
    with pytest.raises(CodecError):
        decode(b"\x00" * 1001)


@pytest.mark.parametrize(
    "value",
    ["\ud800", {"\ud800": 1}, ["a", ("\udfff",)], Handle(1, "\ud800")],
    ids=["text", "key", "nested", "handle"],
)
def test_half_of_a_character_does_not_arrive(value):
    """Nothing could write it down: a record that quotes it could not be kept."""
    repr_ = repr(decode(encode(value)))
    assert "?" in repr_
    assert "\\ud" not in repr_


def test_characters_beyond_two_bytes_arrive():
    assert decode(encode({"\U0001f600": "\U0001f600 é"})) == {"\U0001f600": "\U0001f600 é"}


def test_key_beyond_64_bits_is_refused():
    digits = b"9" * 4000
    structure = b'{"dict":[[' + digits + b",1]]}"
    with pytest.raises(CodecError):
        decode(struct.pack(">I", len(structure)) + structure)
