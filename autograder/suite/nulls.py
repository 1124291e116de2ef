"""What would somebody hand in who knows nothing? None of it may earn a point.

Two batteries: whole implementations that know only names and shapes, and right implementations whose
gradients alone are spoiled.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.topic.declare import Topic
from autograder.topic.module import Made
from autograder.topic.parts import Names

Change = Callable[[np.ndarray, tuple[Any, ...]], Any]


def null_battery(topic: Topic) -> Iterator[tuple[str, Names]]:
    """Implementations that know nothing of the topic but the form of its answers, by name."""
    yield "the starter", dict.fromkeys(topic.reference, _starter)
    if isinstance(topic, Made):
        yield from _null_classes(topic)
        return
    if topic.kind == "class":
        for constant in (0.0, 1.0, float("nan")):
            yield f"{constant} everywhere", {topic.name: _constant_class(constant)}
        return
    fills: dict[str, Change] = {
        "zeros": lambda right, _: np.zeros_like(right),
        "ones": lambda right, _: np.ones_like(right),
        "a uniform row": lambda right, _: np.full(right.shape, 1.0 / (right.shape[-1] if right.ndim else 1)),
        "NaN": lambda right, _: np.full(right.shape, np.nan),
        "zero where there are several, seven where there is one": lambda right, _: np.full(
            right.shape, 0.0 if right.ndim else 7.0
        ),
    }
    for name, fill in fills.items():
        yield name, _changed(topic, fill, frozenset(topic.returns) - set(topic.opaque) | _gradients(topic))
    for position, parameter in enumerate(topic.parameters):
        yield f"an echo of {parameter}", {name: _echo(topic, name, position) for name in topic.reference}
    if topic.kind == "layer":
        forward, backward = topic.reference
        count = len(_gradients(topic))
        yield (
            "identity with identity",
            {
                forward: lambda x, *_: (x, None),
                backward: lambda dout, cache: dout if count == 1 else (dout,) * count,
            },
        )
        right_forward = topic.main

        def flat(*arguments: Any) -> Any:
            return np.full_like(right_forward(*arguments)[0], 3.0), right_forward(*arguments)[1]

        zero = _changed(topic, fills["zeros"], _gradients(topic))[backward]
        yield "constant forward with zero backward", {forward: flat, backward: zero}


def spoiled_gradients(topic: Topic) -> Iterator[tuple[str, Names]]:
    """The reference with every gradient spoiled in one way; no gradient check may pay for it."""
    if topic.kind not in ("function", "layer") or not _gradients(topic):
        return
    changes: dict[str, Change] = {
        "zero": lambda right, _: np.zeros_like(right),
        "halved": lambda right, _: right / 2,
        "doubled": lambda right, _: right * 2,
        "sign-flipped": lambda right, _: -right,
        "transposed": lambda right, _: right.T.reshape(right.shape) if right.ndim > 1 else right[..., ::-1],
        "echoed": lambda right, given: _echoed(right, given),
        "summed instead of averaged": lambda right, given: right * _batch_size(given),
        "all but one entry right": lambda right, _: _one_off(right),
    }
    for name, change in changes.items():
        yield name, _changed(topic, change, _gradients(topic))


def _gradients(topic: Topic) -> frozenset[str]:
    return frozenset(block.name for block in topic.blocks if block.kind == "gradient")


def _changed(topic: Topic, change: Change, which: frozenset[str]) -> Names:
    """The reference with `change` applied to the outputs named in `which`."""
    main = topic.main
    returns = topic.returns

    def first(*arguments: Any) -> Any:
        result = main(*arguments)
        if len(returns) == 1:
            return _apply(change, result, arguments) if returns[0] in which else result
        return tuple(
            _apply(change, part, arguments) if name in which else part
            for name, part in zip(returns, result, strict=True)
        )

    if topic.kind != "layer":
        return {topic.name: first}
    forward, backward = topic.reference
    gradients = tuple(block.name for block in topic.blocks if block.kind == "gradient")
    right_backward = topic.reference[backward]

    def changed_forward(*arguments: Any) -> Any:
        out, cache = main(*arguments)
        return (_apply(change, out, arguments) if "out" in which else out), cache

    def changed_backward(dout: Any, cache: Any) -> Any:
        result = right_backward(dout, cache)
        parts = result if len(gradients) > 1 else (result,)
        spoiled = tuple(_apply(change, part, (dout,)) for part in parts)
        return spoiled if len(gradients) > 1 else spoiled[0]

    return {forward: changed_forward, backward: changed_backward}


def _apply(change: Change, right: Any, given: tuple[Any, ...]) -> Any:
    if isinstance(right, dict):
        return {key: _apply(change, item, given) for key, item in right.items()}
    if isinstance(right, list):
        return [_apply(change, item, given) for item in right]
    if isinstance(right, bool | np.bool_):
        return bool(np.nan_to_num(change(np.asarray(float(right)), given)))
    return change(np.asarray(right), given)


def _echo(topic: Topic, name: str, position: int) -> Callable[..., Any]:
    backward = topic.kind == "layer" and name != next(iter(topic.reference))
    count = len(_gradients(topic)) if backward else len(topic.returns)

    def echo(*arguments: Any) -> Any:
        chosen = arguments[0 if backward else min(position, len(arguments) - 1)]
        return chosen if count == 1 else (chosen,) * count

    return echo


def _echoed(right: np.ndarray, given: tuple[Any, ...]) -> Any:
    """An input of the same shape, if there is one; else the first entries of the first."""
    arrays = [np.asarray(item, dtype=float) for item in given if isinstance(item, np.ndarray | float)]
    fitting = [array for array in arrays if array.shape == right.shape]
    return fitting[0] if fitting else np.resize(arrays[0], right.shape)


def _batch_size(given: tuple[Any, ...]) -> int:
    return next((len(item) for item in reversed(given) if isinstance(item, np.ndarray) and item.ndim), 1)


def _one_off(right: np.ndarray) -> np.ndarray:
    spoiled = np.array(right, dtype=float)
    spoiled.flat[int(np.argmax(np.abs(spoiled)))] = 0.0
    return spoiled


def _null_classes(topic: Made) -> Iterator[tuple[str, Names]]:
    """A right class that does nothing with what it is given: its output is constant, its steps are none."""

    def constant(value: float) -> Callable[..., Any]:
        def build(*arguments: Any, **keywords: Any) -> Any:
            module = topic.main(*arguments, **keywords)
            right = module.forward
            module.forward = lambda *inputs: right(*inputs) * 0 + value
            return module

        return build

    def resting(*arguments: Any, **keywords: Any) -> Any:
        optimizer = topic.main(*arguments, **keywords)
        optimizer.step = lambda *_: None
        return optimizer

    if topic.kind == "optimizer":
        yield "no step", {topic.name: resting}
        return
    for value in (0.0, 1.0, float("nan")):
        yield f"{value} everywhere", {topic.name: constant(value)}


def _starter(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def _constant_class(constant: float) -> type:
    class Answer(float):
        """Number and function at once: any attribute of the null class is one."""

        def __call__(self, *_: Any, **__: Any) -> Any:
            return Null()

    class Null:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return Answer(constant)

        def _new(self, *_: Any) -> "Null":
            return Null()

        __neg__ = _new

    for operator in ("add", "sub", "mul", "truediv", "pow", "matmul"):
        setattr(Null, f"__{operator}__", Null._new)
        setattr(Null, f"__r{operator}__", Null._new)
    return Null
