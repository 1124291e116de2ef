"""Declaring: what the signature says, and what is refused at once."""

import pytest

from autograder.topic import Array, Float, layer, topic
from autograder.topic.declare import axes_of
from autograder.topic.parts import TopicError
from tests.checks.topics import make_scale, scale_backward, scale_forward


def test_blocks_and_axes_come_from_the_signature():
    scale = make_scale()
    assert [(block.name, block.kind) for block in scale.blocks] == [
        ("out", "value"),
        ("dx", "gradient"),
        ("dw", "gradient"),
    ]
    assert axes_of(scale) == {"x": "N D", "w": "D", "out": "N D", "dx": "N D", "dw": "D"}
    assert scale.name == "scale"
    assert list(scale.reference) == ["scale_forward", "scale_backward"]


def test_gradient_of_something_that_is_no_output_is_refused():
    with pytest.raises(TopicError, match="must be the gradient of an output"):

        @topic(lecture="tests", returns=("y", "dx"), gradients={"dx": ("z", "x")})
        def square(x: Float[Array, "N"]):
            """Square."""
            return x**2, 2 * x


def test_layer_gradient_of_no_input_is_refused():
    with pytest.raises(TopicError, match="which are no inputs"):
        layer(scale_forward, scale_backward, lecture="tests", gradients=("v",))


def test_two_misconceptions_of_one_name_are_refused():
    scale = make_scale()
    with pytest.raises(TopicError, match="two misconceptions are called 'dw averaged'"):
        scale.misconception("dw averaged", ("dout * t", "dout"), hint="-")


def test_topic_is_callable_as_its_reference():
    import numpy as np

    out, _ = make_scale()(np.ones((2, 3)), np.ones(3))
    np.testing.assert_allclose(out, np.tanh(np.ones((2, 3))))
