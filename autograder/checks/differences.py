"""What is the derivative of a forward along a direction, without asking its backward?

Central differences of a forward that is called anew at each end, in float64 unless it answers in less.
"""

from typing import Any

import numpy as np

from autograder.topic.case import Case
from autograder.topic.declare import Topic
from autograder.topic.kinds import Observed, arguments
from autograder.topic.parts import Block
from autograder.values.compare import as_array, norm, precision, split

STEP = {64: 6e-6, 32: 5e-3}  # central differences are most exact here, for each precision of the forward
AGREE = {64: 1e-5, 32: 2e-2}  # relative, over the directions
_TRIES = 6  # directions, all of which must contradict
_ULPS = 16  # of the outputs: what rounding moves an end by
_OUTSIDE = (ArithmeticError, AssertionError, LookupError, ValueError)  # of the domain, as is a probability below 0


def step_at(base: np.ndarray, digits: int) -> float:
    """How far an end is from `base`, in lengths of a direction of normal numbers."""
    return STEP[digits] * max(1.0, float(norm(base)) / max(1.0, float(np.sqrt(base.size))))


def moved(case: Case, wrt: str, by: np.ndarray) -> Case:
    """The case with another input `wrt`, of the same form."""
    like = case.inputs[wrt]
    return case.at(**{wrt: parted(joined(like, like) + by, like)})


def output_of(topic: Topic, block: Block, case: Case) -> np.ndarray:
    """What the reference's forward gives for the output that `block` is a gradient of."""
    outputs = topic.main(*arguments(topic.parameters, case.inputs).values())
    return np.asarray(outputs[topic.returns.index(block.of)], dtype=np.float64)


def gradient_of(topic: Topic, block: Block, case: Case) -> np.ndarray:
    """The reference's gradient, as one array."""
    outputs = topic.main(*arguments(topic.parameters, case.inputs).values())
    if topic.kind == "function":
        return joined(outputs[topic.returns.index(block.name)], case.inputs[block.wrt])
    backward = list(topic.reference.values())[1]
    gradients = backward(case.inputs["dout"], outputs[1])
    names = [each.name for each in topic.blocks if each.kind == "gradient"]
    parts = gradients if len(names) > 1 else (gradients,)
    return joined(parts[names.index(block.name)], case.inputs[block.wrt])


def joined(value: Any, like: Any) -> np.ndarray:
    """An array as it is; a dict or list of arrays as one vector, in the order of `like`."""
    container, arrays = split(value)
    if not container:
        return arrays[""].astype(np.float64)
    return np.concatenate([arrays[key].ravel() for key in split(like)[1]]).astype(np.float64)


def parted(whole: np.ndarray, like: Any) -> Any:
    """What `joined` joined, in the form of `like`."""
    container, arrays = split(like)
    if not container:
        return whole
    ends = np.cumsum([array.size for array in arrays.values()])[:-1]
    pieces = zip(arrays.items(), np.split(whole, ends), strict=True)
    parts = {key: piece.reshape(array.shape) for (key, array), piece in pieces}
    return parts if container == "dict" else list(parts.values())


def contradicted(topic: Topic, block: Block, case: Case, shown: Observed) -> tuple[float, float] | None:
    """The slope of the reference's forward along a random direction, and the one that its gradient claims, where the
    two contradict each other. shown: the reference's blocks on the case.

    At a kink every number between the slopes of both sides is a gradient, whatever the course's convention. Kinks of
    several examples may cancel in the sum along one direction, and do not along all: each must contradict. Where
    rounding, a kink or the end of the domain hides the slope along one of them, nothing is said.
    """
    at, gradient = (joined(each, case.inputs[block.wrt]) for each in (case.inputs[block.wrt], shown[block.name]))
    here, digits = as_array(shown[block.of]).astype(np.float64), precision(as_array(shown[block.of]))
    dout = np.asarray(case.inputs.get("dout", 1.0))
    step, size = step_at(at, digits), float(norm(gradient))
    allowed = AGREE[digits] * size + _ULPS * np.finfo(np.float64).eps * float(np.sum(np.abs(dout * here))) / step
    rng = np.random.default_rng(20040 + at.size)
    found = None
    for _ in range(_TRIES):
        direction = rng.normal(size=at.shape)
        claimed = float(np.vdot(gradient, direction))
        try:
            forth, back = (output_of(topic, block, moved(case, block.wrt, by * step * direction)) for by in (1, -1))
            slope = float(np.sum(dout * (forth - back))) / (2 * step)
            if abs(slope - claimed) <= allowed:
                return None
            near, far = (output_of(topic, block, moved(case, block.wrt, by * step * direction)) for by in (0.5, -0.5))
        except _OUTSIDE:
            return None
        narrowed = (forth - back) / (2 * step) - (near - far) / step
        bend = (near - 2 * here + far) / step  # half of what the slopes of both sides differ by
        hidden = 2 * float(np.sum(np.abs(dout * narrowed) + np.abs(dout * bend)))
        if not abs(slope - claimed) > allowed + hidden:  # or one is no number
            return None
        found = found or (slope, claimed)
    return found
