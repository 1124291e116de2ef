"""How does the learning rate change on the way? Each schedule is the array of the rates of all steps."""

import math

import numpy as np

from autograder.topic import Array, Float, case, close, topic


@topic(lecture="002: Learning rate, step decay", returns=("rates",))
def step_decay(lr: float, factor: float, every: int, steps: int) -> Float[Array, "T"]:
    """Learning rates that fall in stairs.

    Formula: `rates[t] = lr factor**floor(t / every)` for t = 0 to steps - 1.

    Arguments:
        lr: positive, the first rate. factor: in (0, 1). every: E >= 1, the width of a stair. steps: T >= 1.

    Returns:
        (T,): the rate of each step.

    Convention: steps are counted from 0, so the first stair holds the steps 0 to E - 1, as in
    `torch.optim.lr_scheduler.StepLR`.

    Example:
        >>> step_decay(0.8, 0.5, 2, 5).tolist()
        [0.8, 0.8, 0.4, 0.4, 0.2]

    Source: deck 002, the slide of learning rate decay.
    """
    t = np.arange(steps)
    return lr * factor ** (t // every)


@step_decay.cases
def _(rng):
    for name, every, steps in (("ordinary", 5, 23), ("narrow stairs", 2, 9), ("last stair is full", 4, 16)):
        yield case(name, lr=_lr(rng), factor=float(rng.uniform(0.3, 0.45)), every=every, steps=steps)
    yield case("one stair only", edge=0.1, lr=_lr(rng), factor=0.1, every=8, steps=6)


def _lr(rng):
    return float(rng.uniform(0.05, 1.0))


@step_decay.alternative
def _(lr, factor, every, steps):
    """The rate is carried along, and multiplied where a stair ends."""
    rates = []
    for t in range(steps):
        if t and t % every == 0:
            lr = lr * factor
        rates.append(lr)
    return np.array(rates)


@step_decay.worked("halved every two steps", lecture="002: Learning rate, step decay")
def _():
    close(step_decay(0.8, 0.5, 2, 5), [0.8, 0.8, 0.4, 0.4, 0.2])


step_decay.misconception(
    "decays at every step",
    ("t // every", "t / every"),
    hint="Within a stair the rate does not change. Does yours?",
)
step_decay.misconception(
    "steps counted from one",
    ("np.arange(steps)", "np.arange(1, steps + 1)"),
    hint="How many steps does your first stair hold?",
)
step_decay.misconception(
    "only one stair down",
    ("(t // every)", "(t >= every)"),
    hint="What happens after twice the width of a stair?",
)
step_decay.misconception(
    "factor multiplied, not raised to a power",
    ("factor ** (t // every)", "np.where(t < every, 1.0, factor * (t // every))"),
    hint="Is the third stair lower than the second one by the same factor again?",
)


@topic(lecture="002: Learning rate, linear decay", returns=("rates",))
def linear_decay(lr: float, end: float, decay_steps: int, steps: int) -> Float[Array, "T"]:
    """Learning rates that fall on a straight line to a last one, and stay there.

    Formula: `rates[t] = (1 - a) lr + a end` with `a = min(t / decay_steps, 1)`, for t = 0 to steps - 1.

    Arguments:
        lr: positive, the first rate. end: the last one, below lr. decay_steps: D >= 1. steps: T >= 1.

    Returns:
        (T,): the rate of each step; from step D on it is `end`.

    Convention: steps are counted from 0, where the rate is lr.

    Example:
        >>> linear_decay(1.0, 0.5, 2, 4).tolist()
        [1.0, 0.75, 0.5, 0.5]

    Source: deck 002, the slide of learning rate decay; Goodfellow, Bengio and Courville 2016, 8.3.
    """
    a = np.minimum(np.arange(steps) / decay_steps, 1.0)
    return (1 - a) * lr + a * end


@linear_decay.cases
def _(rng):
    for name, decay_steps, steps in (("ordinary", 7, 12), ("ends before the line", 15, 9), ("long rest", 4, 17)):
        lr = _lr(rng)
        yield case(name, lr=lr, end=lr * float(rng.uniform(0.05, 0.3)), decay_steps=decay_steps, steps=steps)


@linear_decay.alternative
def _(lr, end, decay_steps, steps):
    """A line through two points."""
    return np.interp(np.arange(steps), [0.0, float(decay_steps)], [lr, end])


@linear_decay.worked("from 1 to a half in two steps", lecture="002: Learning rate, linear decay")
def _():
    close(linear_decay(1.0, 0.5, 2, 4), [1.0, 0.75, 0.5, 0.5])


linear_decay.misconception(
    "line goes on below its end",
    ("np.minimum(np.arange(steps) / decay_steps, 1.0)", "np.arange(steps) / decay_steps"),
    hint="What is the rate long after the line has ended?",
)
linear_decay.misconception(
    "line over all steps",
    ("/ decay_steps", "/ steps"),
    hint="At which step has your rate come down to its end?",
)
linear_decay.misconception(
    "line to zero",
    ("+ a * end", ""),
    hint="Where does the line end? Which of the arguments do your rates not depend on?",
)
linear_decay.misconception(
    "zero before the end comes",
    ("(1 - a) * lr + a * end", "np.maximum((1 - a) * lr, end)"),
    hint="At which step has your rate come down to its end? It should be a line until there.",
)


@topic(lecture="002: Learning rate, 1/t decay", returns=("rates",))
def inverse_time_decay(lr: float, decay: float, steps: int) -> Float[Array, "T"]:
    """Learning rates that fall as 1/t.

    Formula: `rates[t] = lr / (1 + decay t)` for t = 0 to steps - 1.

    Arguments:
        lr: positive, the first rate. decay: positive, how fast. steps: T >= 1.

    Returns:
        (T,): the rate of each step.

    Convention: steps are counted from 0, where the rate is lr.

    Example:
        >>> inverse_time_decay(1.0, 1.0, 4).tolist() == [1.0, 1 / 2, 1 / 3, 1 / 4]
        True

    Source: deck 002, the slide of learning rate decay.
    """
    return lr / (1 + decay * np.arange(steps))


@inverse_time_decay.cases
def _(rng):
    for name, steps in (("ordinary", 12), ("few steps", 4), ("many steps", 40)):
        yield case(name, lr=_lr(rng), decay=float(rng.uniform(0.2, 0.7)), steps=steps)


@inverse_time_decay.alternative
def _(lr, decay, steps):
    """One step after the other: the inverse rate grows by the same amount."""
    return np.array([1 / (1 / lr + t * decay / lr) for t in range(steps)])


@inverse_time_decay.worked("the harmonic numbers", lecture="002: Learning rate, 1/t decay")
def _():
    close(inverse_time_decay(1.0, 1.0, 4), [1, 1 / 2, 1 / 3, 1 / 4])


inverse_time_decay.misconception(
    "steps counted from one",
    ("np.arange(steps)", "np.arange(1, steps + 1)"),
    hint="What is the rate of the very first step?",
)
inverse_time_decay.misconception(
    "exponential decay",
    ("lr / (1 + decay * np.arange(steps))", "lr * np.exp(-decay * np.arange(steps))"),
    hint="After a thousand steps, is your rate about a thousandth of the first one, or practically nothing?",
)
inverse_time_decay.misconception(
    "root of the step",
    ("np.arange(steps)", "np.sqrt(np.arange(steps))"),
    hint="By which power of t do the rates fall?",
)
inverse_time_decay.misconception(
    "decay from the rate before, again and again",
    ("lr / (1 + decay * np.arange(steps))", "lr / np.cumprod(1 + decay * np.arange(steps))"),
    hint="Is each rate computed from the first one, or from the last?",
)


@topic(lecture="002: SGDR", returns=("rates",))
def cosine_decay(lr: float, end: float, steps: int) -> Float[Array, "T"]:
    """Learning rates that fall along half a cosine.

    Formula: `rates[t] = end + (lr - end) (1 + cos(pi t / T)) / 2` for t = 0 to T - 1, T being `steps`.

    Arguments:
        lr: positive, the first rate. end: what the rates fall to, below lr. steps: T >= 1.

    Returns:
        (T,): the rate of each step.

    Convention: `end` itself would be reached at step T, which is not among them; as in
    `torch.optim.lr_scheduler.CosineAnnealingLR` with T_max = T.

    Example:
        >>> cosine_decay(1.0, 0.0, 4).round(6).tolist()
        [1.0, 0.853553, 0.5, 0.146447]

    Source: deck 002, "SGDR", in its list of learning rates; Loshchilov and Hutter 2017.
    """
    return end + (lr - end) * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2


@cosine_decay.cases
def _(rng):
    for name, steps in (("ordinary", 12), ("few steps", 3), ("many steps", 30)):
        lr = _lr(rng)
        yield case(name, lr=lr, end=lr * float(rng.uniform(0.05, 0.3)), steps=steps)


@cosine_decay.alternative
def _(lr, end, steps):
    """A squared cosine of half the angle, in plain numbers."""
    return np.array([end + (lr - end) * math.cos(math.pi * t / (2 * steps)) ** 2 for t in range(steps)])


@cosine_decay.worked("four steps from 1 towards 0", lecture="002: SGDR")
def _():
    close(cosine_decay(1.0, 0.0, 4), [1.0, 0.853553, 0.5, 0.146447])


cosine_decay.misconception(
    "end reached at the last step",
    ("/ steps)", "/ (steps - 1))"),
    hint="At which number of the step would the rate be `end`? The formula says at T.",
)
cosine_decay.misconception(
    "end left out",
    ("end + (lr - end)", "lr"),
    hint="What do your rates fall to? Which of the arguments do they not depend on?",
)
cosine_decay.misconception(
    "quarter of a period instead of a half",
    ("(1 + np.cos(np.pi * np.arange(steps) / steps)) / 2", "np.cos(np.pi / 2 * np.arange(steps) / steps)"),
    hint="Half a cosine is flat at both ends. Is yours?",
)
cosine_decay.misconception(
    "a whole period",
    ("np.pi *", "2 * np.pi *"),
    hint="Do your rates come up again?",
)
cosine_decay.misconception(
    "end added, the range not made smaller",
    ("(lr - end)", "lr"),
    hint="What is the rate of the very first step?",
)


@topic(lecture="002: SGDR", returns=("rates",))
def linear_warmup(lr: float, warmup: int, steps: int) -> Float[Array, "T"]:
    """Learning rates that rise on a straight line, and then stay.

    Formula: `rates[t] = lr min((t + 1) / warmup, 1)` for t = 0 to steps - 1.

    Arguments:
        lr: positive, the rate after the warm-up. warmup: W >= 1, steps until there. steps: T >= 1.

    Returns:
        (T,): the rate of each step; that of step W - 1 is lr.

    Convention: steps are counted from 0. The first rate is lr / W, not 0: a step of no length is wasted.

    Example:
        >>> linear_warmup(1.0, 4, 6).tolist()
        [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]

    Source: deck 002, its list of learning rates; Goyal et al. 2017.
    """
    return lr * np.minimum(np.arange(1, steps + 1) / warmup, 1.0)


@linear_warmup.cases
def _(rng):
    for name, warmup, steps in (("ordinary", 5, 12), ("short warm-up", 3, 8), ("long rest", 4, 20)):
        yield case(name, lr=_lr(rng), warmup=warmup, steps=steps)
    yield case("no warm-up", edge=0.1, lr=_lr(rng), warmup=1, steps=5)
    yield case("ends before it is warm", edge=0.1, lr=_lr(rng), warmup=9, steps=6)


@linear_warmup.alternative
def _(lr, warmup, steps):
    """The rising part, and the rest."""
    return np.array([lr / warmup * (t + 1) if t + 1 < warmup else lr for t in range(steps)])


@linear_warmup.worked("four steps of warm-up", lecture="002: SGDR")
def _():
    close(linear_warmup(1.0, 4, 6), [0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


linear_warmup.misconception(
    "starts at zero",
    ("np.arange(1, steps + 1)", "np.arange(steps)"),
    hint="How far do the parameters move in your very first step?",
)
linear_warmup.misconception(
    "rises on and on",
    ("np.minimum(np.arange(1, steps + 1) / warmup, 1.0)", "np.arange(1, steps + 1) / warmup"),
    hint="What is the rate long after the warm-up?",
)
linear_warmup.misconception(
    "one step of warm-up too many",
    ("/ warmup", "/ (warmup + 1)"),
    hint="Which is the first step at which your rate is lr?",
)
linear_warmup.misconception(
    "falls instead of rising",
    ("np.minimum(np.arange(1, steps + 1) / warmup, 1.0)", "np.maximum(1 - np.arange(steps) / warmup, 0.0)"),
    hint="Is the first step the shortest one, or the longest?",
)


@topic(lecture="002: SGDR", returns=("rates",))
def cosine_restarts(lr: float, end: float, first: int, growth: int, steps: int) -> Float[Array, "T"]:
    """Learning rates of SGDR: cosines that fall and start again, each one longer than the last.

    Formula: cycle number i has `first growth**i` steps. At its j-th step, j from 0, out of P,
    `rate = end + (lr - end) (1 + cos(pi j / P)) / 2`. The cycles follow each other until there are T rates.

    Arguments:
        lr: positive, the rate with which each cycle starts. end: what it falls to, below lr.
        first: steps of the first cycle. growth: >= 1, by which each cycle is longer. steps: T >= 1.

    Returns:
        (T,): the rate of each step; the last cycle may be cut.

    Convention: `end` itself is not reached, for the next cycle starts there; as in
    `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`.

    Example:
        >>> cosine_restarts(1.0, 0.0, 2, 2, 6).round(6).tolist()
        [1.0, 0.5, 1.0, 0.853553, 0.5, 0.146447]

    Source: deck 002, "SGDR"; Loshchilov and Hutter 2017.
    """
    rates: list[float] = []
    period = first
    while len(rates) < steps:
        j = np.arange(period)
        rates.extend(end + (lr - end) * (1 + np.cos(np.pi * j / period)) / 2)
        period = period * growth
    return np.array(rates[:steps])


@cosine_restarts.cases
def _(rng):
    shapes = {"ordinary": (4, 2, 33), "cycles of one length": (5, 1, 18), "three times as long": (2, 3, 21)}
    for name, (first, growth, steps) in shapes.items():
        lr = _lr(rng)
        end = lr * float(rng.uniform(0.05, 0.3))
        yield case(name, lr=lr, end=end, first=first, growth=growth, steps=steps)
    yield case("within the first cycle", edge=0.1, lr=_lr(rng), end=0.01, first=9, growth=2, steps=5)


@cosine_restarts.alternative
def _(lr, end, first, growth, steps):
    """Each step finds its own cycle."""
    rates = []
    for t in range(steps):
        period = first
        while t >= period:
            t, period = t - period, period * growth
        rates.append(end + (lr - end) * math.cos(math.pi * t / (2 * period)) ** 2)
    return np.array(rates)


@cosine_restarts.worked("a cycle of two steps and one of four", lecture="002: SGDR")
def _():
    close(cosine_restarts(1.0, 0.0, 2, 2, 6), [1.0, 0.5, 1.0, 0.853553, 0.5, 0.146447])


cosine_restarts.misconception(
    "all cycles of one length",
    ("period = period * growth", "pass"),
    hint="How many steps has your second cycle?",
)
cosine_restarts.misconception(
    "each cycle longer by the first one",
    ("period * growth", "period + first * (growth - 1)"),
    hint="How many times as long as the second cycle is your third one?",
)
cosine_restarts.misconception(
    "end reached within each cycle",
    ("j / period", "j / max(period - 1, 1)"),
    hint="At which step of a cycle would the rate be `end`? The formula says at P, where the next one starts.",
)
cosine_restarts.misconception(
    "comes up again as slowly as it fell",
    ("np.cos(np.pi * j / period)", "np.cos(2 * np.pi * j / period)"),
    hint="A restart is a jump. Is yours?",
)
cosine_restarts.misconception(
    "no restart",
    ("period = first", "period = steps"),
    hint="How often does your rate go up?",
)
cosine_restarts.misconception(
    "each cycle starts lower",
    ("period = period * growth", "period = period * growth; lr = (lr + end) / 2"),
    hint="With which rate does each cycle start?",
)
cosine_restarts.harmless(("len(rates) < steps", "len(rates) <= steps"), because="what is too long is cut")
