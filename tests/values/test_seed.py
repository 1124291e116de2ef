"""A seed crosses to the worker and becomes a generator there; none comes back."""

import numpy as np
import pytest

from autograder.sandbox.inprocess import answer
from autograder.values import codec
from autograder.values.asking import Program
from autograder.values.codec import CodecError, Seed


def test_seed_crosses_as_itself():
    assert codec.decode(codec.encode([Seed(2**62 - 1), {"rng": Seed(0)}])) == [Seed(2**62 - 1), {"rng": Seed(0)}]


def test_generator_is_made_once_for_a_register_and_anew_for_a_constant():
    program = Program()
    draw = program.get("draw")
    rng = program.value(Seed(5))
    drawn = [program.call(draw, rng), program.call(draw, rng), program.call(draw, Seed(5))]
    answered = answer({"draw": lambda rng: rng.random()}, program.ask("draws", drawn))
    expected = np.random.default_rng(5)
    first, second = expected.random(), expected.random()
    assert answered.value == [first, second, first]


def test_seed_from_a_worker_is_no_answer():
    program = Program()
    returned = program.call(program.get("cheat"))
    with pytest.raises(CodecError):
        answer({"cheat": lambda: [Seed(3)]}, program.ask("cheat", returned))
