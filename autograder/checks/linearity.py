"""Is a failing backward at least linear in its upstream gradient? Explains a failure; earns nothing."""

import numpy as np

from autograder.checks.plan import Check
from autograder.checks.together import Batching, together
from autograder.checks.verdict import Sheet
from autograder.topic.kinds import Failure, observe
from autograder.values.compare import as_array, norm

_SLACK = 1e-3  # coarse on purpose: only a plainly non-linear backward is called so


def explain(sheet: Sheet, check: Check) -> Batching[str]:
    """A sentence about what the backward does to its upstream gradient, or nothing."""
    topic = sheet.plan.topic
    if topic.kind != "layer":
        return ""
    case = sheet.plan.cases[check.cases[0]]
    dout = np.asarray(case.inputs["dout"])
    other = np.roll(dout, 1).reshape(dout.shape) + 0.5
    upstreams = (np.zeros_like(dout), dout, other, 2.0 * dout - 3.0 * other)
    observed = yield from together([observe(topic, case.at(dout=upstream)) for upstream in upstreams])
    shown = []
    for seen in observed:
        block = seen.get(check.block)
        try:
            if block is None or isinstance(block, Failure):
                return ""
            shown.append(as_array(block).astype(np.float64))
        except TypeError:
            return ""
    at_zero, first, second, combined = shown
    size = float(norm(first)) + float(norm(second))
    if not np.isfinite(size) or any(array.shape != first.shape for array in shown):
        return ""
    if float(norm(at_zero)) > _SLACK * size:
        return "An upstream gradient of zeros must give a gradient of zeros; yours does not."
    if float(norm(combined - 2.0 * first + 3.0 * second)) > _SLACK * size:
        return "The gradient must be linear in the upstream gradient; yours is not."
    return ""
