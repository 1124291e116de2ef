"""How does the worker run what is made of torch: a module, or an optimiser?

Both are built, fed and read here, beside student code, because tensors do not cross the wall. Nothing in here knows
an expected value. PyTorch is imported when something is asked, so only in an environment that has it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

_DTYPES = ("dtype", "scalar type", "data type")  # what PyTorch says where two precisions meet
_AXES = 6  # of a parameter's shape; those it has not are -1


def run_module(
    make: Callable[..., Any],
    options: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    inputs: Sequence[Any],
    dout: np.ndarray,
    training: bool,
    device: str = "cpu",
) -> dict[str, Any]:
    """Build `make(**options)`, load weights, and run it forward and backward on a device, in double precision.

    A module that insists on single precision is run in that. `fits` says whether the weights could be loaded;
    if not, there is no output. Gradients are under the names of the weights; None where none arrived.
    """
    import torch

    try:
        return _run_module(make, options, weights, inputs, dout, training, (torch.float64, device))
    except RuntimeError as error:
        if not any(word in str(error) for word in _DTYPES):
            raise
    return _run_module(make, options, weights, inputs, dout, training, (torch.float32, device))


def _run_module(
    make: Callable[..., Any],
    options: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    inputs: Sequence[Any],
    dout: np.ndarray,
    training: bool,
    form: tuple[Any, str],
) -> dict[str, Any]:
    import torch

    dtype, device = form
    module = make(**options)
    if not isinstance(module, torch.nn.Module):
        return {"fits": False, "parameters": np.zeros((0, _AXES), dtype=np.int64)}
    module = module.to(device, dtype)
    shapes = [tuple(parameter.shape) for parameter in module.parameters()]
    found = {"parameters": np.array(sorted([*s, *[-1] * (_AXES - len(s))][:_AXES] for s in shapes)).reshape(-1, _AXES)}
    matched = _matched(module, weights)
    if matched is None:
        return {**found, "fits": False}
    with torch.no_grad():
        for name, tensor in matched.items():
            tensor.copy_(torch.from_numpy(np.asarray(weights[name])))
    module.train(training)
    given = [torch.from_numpy(np.array(each)).to(device) for each in inputs]
    given = [each.to(dtype).requires_grad_() if each.is_floating_point() else each for each in given]
    out = module(*given)
    if isinstance(out, torch.Tensor) and out.requires_grad and tuple(out.shape) == tuple(dout.shape):
        out.backward(torch.from_numpy(np.array(dout)).to(out.device, out.dtype))
    trained = {name: each for name, each in matched.items() if isinstance(each, torch.nn.Parameter)}
    return {
        **found,
        "fits": True,
        "out": out,
        "gradients": {name: _gradient(each) for name, each in trained.items()},
        "inputs": [_gradient(each) for each in given if each.requires_grad],
        "after": {name: each for name, each in matched.items() if name not in trained},
    }


def _gradient(tensor: Any) -> Any:
    return np.zeros(tuple(tensor.shape)) if tensor.grad is None else tensor.grad


def _matched(module: Any, weights: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """The module's parameters and buffers under the names of the weights: by name, else in order.

    In order among those of one shape: whether all convolutions are made before all normalisations, or in turns, is
    nothing to the module.
    """
    own = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    own = {name: tensor for name, tensor in own.items() if tensor.is_floating_point()}  # a counter is no weight
    if own.keys() != weights.keys():
        if len(own) != len(weights):
            return None
        left: dict[tuple[int, ...], list[Any]] = {}
        for tensor in own.values():
            left.setdefault(tuple(tensor.shape), []).append(tensor)
        found = {name: left[np.shape(weight)].pop(0) for name, weight in weights.items() if left.get(np.shape(weight))}
        return found if len(found) == len(weights) else None
    fits = all(tuple(own[name].shape) == np.shape(weight) for name, weight in weights.items())
    return {name: own[name] for name in weights} if fits else None


def run_optimizer(
    make: Callable[..., Any],
    options: Mapping[str, Any],
    start: Sequence[np.ndarray],
    gradients: Sequence[Sequence[np.ndarray | None]],
    groups: Sequence[Mapping[str, Any]],
) -> list[list[np.ndarray]]:
    """Build `make(parameters, **options)`, and take a step for each of the gradients' rows.

    gradients: for each step one array a parameter, or None where that parameter was not used. groups: parameter
    groups with options of their own, their "params" being numbers; none stands for one plain list.
    Returns the parameters after each step.
    """
    import torch

    parameters = [torch.nn.Parameter(torch.from_numpy(np.array(each))) for each in start]
    listed = [{**group, "params": [parameters[number] for number in group["params"]]} for group in groups]
    optimizer = make(listed or parameters, **options)
    path = []
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = None if gradient is None else torch.from_numpy(np.array(gradient))
        optimizer.step()
        path.append([parameter.detach().numpy().copy() for parameter in parameters])
    return path


# Under these names, which no student can bind by an assignment, a program gets them.
TOOLS: dict[str, Callable[..., Any]] = {"torch: module": run_module, "torch: optimizer": run_optimizer}
