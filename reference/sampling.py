"""How are examples put into batches by chance, so that each is seen once an epoch?"""

from math import factorial

import numpy as np

from autograder.topic import Array, Int, case, close, sampler

_SHORT = 50  # examples, with whose number squared the counts of pairs and places grow
_NOTHING = 0, 0, 0.5  # to count: no hits in no trials
_UNEQUAL = (
    "You exchange examples. Count the ways in which your numbers can be drawn: can all n! orders be equally many?"
)


@sampler(lecture="003: Mini-batches while training", returns=("batches",), structured=True)
def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> list[Int[Array, "B"]]:
    """One epoch of minibatches: the numbers of n examples, in a random order, batch_size at a time.

    Formula: a permutation of 0 to n - 1, each as likely as any other, cut into pieces of batch_size.

    Arguments:
        n: at least 1. batch_size: at least 1. rng: a NumPy generator, from which alone to draw.

    Returns:
        A list of arrays of integers: all of batch_size numbers, but for the last, which holds what is left.

    Convention: without replacement, a partition: every example once an epoch. (Deck 001 draws a batch anew
    at every step, so that some examples wait for long.) The last, shorter batch is kept. Calling it again
    with the same generator gives the next epoch, in an order of its own.

    Example:
        >>> batches = minibatches(5, 2, np.random.default_rng(0))
        >>> [len(batch) for batch in batches], sorted(np.concatenate(batches).tolist())
        ([2, 2, 1], [0, 1, 2, 3, 4])

    Source: deck 003, "Mini-batches while training"; deck 004, "Train a Deep Neural Network with SGD".
    """
    order = rng.permutation(n)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


@minibatches.cases
def _(rng):
    # Few batches an epoch: each of many draws crosses as so many arrays.
    size = int(rng.integers(4, 6))
    yield case("short last batch", n=3 * size + 2, batch_size=size)
    yield case("batches of one size", n=4 * size, batch_size=2 * size)
    yield case("one batch", n=9 + size, batch_size=9 + size)
    half = int(rng.integers(180, 200))
    yield case("a long epoch", n=2 * half, batch_size=half + 1)
    yield case("one at a time", edge=0.1, n=size, batch_size=1)
    yield case("batch_size larger than n", edge=0.1, n=3, batch_size=size)
    yield case("many examples", edge=0.2, n=int(rng.integers(50, 80)), batch_size=16)


@minibatches.law(
    "a batch is an array of whole numbers from 0 to n - 1",
    hint="What comes back are the numbers of the examples, a list of arrays.",
)
def _(inputs, batches):
    joined = np.concatenate(batches)
    return (
        all(batch.ndim == 1 for batch in batches)
        and joined.dtype.kind in "iu"
        and 0 <= joined.min() <= joined.max() < inputs["n"]
    )


@minibatches.law("no example comes twice in an epoch", hint="Count the examples of one epoch of yours.")
def _(inputs, batches):
    joined = np.concatenate(batches)
    return len(np.unique(joined)) == len(joined)


@minibatches.law(
    "every example comes in an epoch", hint="How many examples are there in all batches of yours together?"
)
def _(inputs, batches):
    return len(np.concatenate(batches)) == inputs["n"]


@minibatches.law(
    "all batches but the last hold batch_size examples, and none is empty",
    hint="Look at the sizes of your batches where batch_size does not divide n.",
)
def _(inputs, batches):
    sizes = [len(batch) for batch in batches]
    return all(size == inputs["batch_size"] for size in sizes[:-1]) and 0 < sizes[-1] <= inputs["batch_size"]


@minibatches.distribution(
    "each example comes at each place of the epoch equally often",
    hint="Write down where example 0 stands in ten epochs, drawn one after the other from one generator.",
)
def _(inputs, draws):
    n, orders = inputs["n"], _orders(draws)
    if n > _SHORT:
        return _NOTHING
    at = (orders[:, :, None] == np.arange(n)).sum(axis=0)  # (K, n) -> (place, example)
    return at, len(draws), 1 / n


@minibatches.distribution(
    "each example follows on each other equally often",
    hint="Which example comes after example 0? Should it be the same one in many epochs?",
)
def _(inputs, draws):
    n, orders = inputs["n"], _orders(draws)
    if n > _SHORT:
        return _NOTHING
    followed = np.zeros((n, n), dtype=int)
    np.add.at(followed, (orders[:, :-1], orders[:, 1:]), 1)
    return followed[~np.eye(n, dtype=bool)], len(draws), 1 / n  # n - 1 places for a pair, of n (n - 1)


@minibatches.distribution(
    "each example shares its batch with each other equally often",
    hint="Can examples 0 and 1 ever come into different batches of yours?",
)
def _(inputs, draws):
    n, size = inputs["n"], inputs["batch_size"]
    sizes = np.diff([*range(0, n, size), n])
    if len(sizes) == 1 or size == 1 or n > _SHORT:
        return _NOTHING  # all pairs do, or none, or they are too many
    batch_of = np.argsort(_orders(draws), axis=1) // size  # (K, n) -> (K, example)
    one, other = np.triu_indices(n, 1)
    together = (batch_of[:, one] == batch_of[:, other]).sum(axis=0)
    return together, len(draws), (sizes * (sizes - 1)).sum() / (n * (n - 1))


@minibatches.distribution(
    "some example stays at its place as often as by chance",
    hint="Can example 0 be the first of an epoch of yours? How often should it be?",
)
def _(inputs, draws):
    n, orders = inputs["n"], _orders(draws)
    if n > _SHORT:
        return _NOTHING
    none_stays = sum((-1) ** k / factorial(k) for k in range(n + 1))  # of n! orders, derangements
    return (orders == np.arange(n)).any(axis=1).sum(), len(draws), 1 - none_stays


@minibatches.distribution(
    "the orders of an epoch are equally likely",
    hint=_UNEQUAL,
)
def _(inputs, draws):
    n, orders = inputs["n"], _orders(draws)
    if n <= _SHORT or n % 2:
        return _NOTHING
    # So many orders have k places with a later example as have n - 1 - k of them: half of all orders have n/2 or more.
    later = (orders > np.arange(n)).sum(axis=1)
    return (later >= n // 2).sum(), len(draws), 0.5


def _orders(draws):
    return np.array([np.concatenate(batches) for batches in draws])  # (K, n)


@minibatches.alternative
def _(n, batch_size, rng):
    """The order in which random numbers sort, cut by NumPy."""
    order = np.argsort(rng.random(n))
    return np.split(order, range(batch_size, n, batch_size))


@minibatches.alternative
def _(n, batch_size, rng):
    """The shuffle of Fisher and Yates, and plain lists."""
    left, batches = list(range(n)), [[]]
    while left:
        if len(batches[-1]) == batch_size:
            batches.append([])
        batches[-1].append(left.pop(int(rng.integers(len(left)))))
    return batches


@minibatches.worked("five examples make batches of 2, 2 and 1", lecture="003: Mini-batches while training")
def _():
    rng = np.random.default_rng(0)
    for _ in range(3):
        batches = minibatches(5, 2, rng)
        close([len(batch) for batch in batches], [2, 2, 1])
        close(sorted(np.concatenate(batches)), [0, 1, 2, 3, 4])


@minibatches.worked("the next epoch has another order", lecture="003: Mini-batches while training")
def _():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(minibatches(100, 10, rng)) for _ in range(2))
    assert not np.array_equal(first, second), "two epochs in the same order"


minibatches.misconception(
    "last short batch dropped",
    ("range(0, n, batch_size)", "range(0, n - batch_size + 1, batch_size)"),
    hint="How many of the examples does an epoch of yours visit when batch_size does not divide n?",
)
minibatches.misconception(
    "order never shuffled",
    ("rng.permutation(n)", "np.arange(n)"),
    hint="Does your result depend on rng at all?",
)
minibatches.misconception(
    "drawn with replacement",
    ("rng.permutation(n)", "rng.integers(n, size=n)"),
    hint="Is every example in one of your batches? Sort what you have drawn.",
)
minibatches.misconception(
    "a generator of its own, with the same seed at each call",
    ("rng.permutation(n)", "np.random.default_rng(0).permutation(n)"),
    hint="Call your function twice. Does the second epoch have an order of its own?",
)


@minibatches.wrong(
    "no example ever stays at its place",
    hint="Can example 0 be the first of an epoch of yours? How often should it be?",
)
def _(n, batch_size, rng):
    order = np.arange(n)
    for last in range(n - 1, 0, -1):
        other = rng.integers(last)
        order[[last, other]] = order[[other, last]]
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


@minibatches.wrong(
    "each place exchanged with any place",
    hint=_UNEQUAL,
)
def _(n, batch_size, rng):
    order = np.arange(n)
    for place in range(n):
        other = rng.integers(n)
        order[[place, other]] = order[[other, place]]
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


minibatches.misconception(
    "only a rotation of the order",
    ("rng.permutation(n)", "np.roll(np.arange(n), rng.integers(n))"),
    hint="Example 1 comes after example 0 in every epoch of yours. Is that chance?",
)
minibatches.misconception(
    "batches shuffled, but not what is in them",
    ("order = rng.permutation(n)", "order = np.arange(n)"),
    (
        "[order[start : start + batch_size] for start in range(0, n, batch_size)]",
        "(lambda cut: [cut[i] for i in [*rng.permutation(n // batch_size), *range(n // batch_size, len(cut))]])"
        "([order[start : start + batch_size] for start in range(0, n, batch_size)])",
    ),
    hint="Can examples 0 and 1 ever come into different batches of yours?",
)
minibatches.misconception(
    "examples shuffled within batches that stay",
    ("order = rng.permutation(n)", "order = np.arange(n)"),
    ("[order[start : start + batch_size] for", "[rng.permutation(order[start : start + batch_size]) for"),
    hint="Can examples 0 and 1 ever come into different batches of yours?",
)
minibatches.misconception(
    "batch_size taken for the number of batches",
    (
        "[order[start : start + batch_size] for start in range(0, n, batch_size)]",
        "[batch for batch in np.array_split(order, batch_size) if len(batch)]",
    ),
    hint="How many examples are in your first batch?",
)
minibatches.misconception(
    "the rest spread over all batches",
    (
        "[order[start : start + batch_size] for start in range(0, n, batch_size)]",
        "np.array_split(order, -(-n // batch_size))",
    ),
    hint="Look at the sizes of your batches where batch_size does not divide n.",
)

_OTHER = np.random.default_rng(
    2007
)  # stands for NumPy's global generator, but gives the same suite at each compilation


@minibatches.wrong(
    "drawn from NumPy's global generator",
    hint="Two calls with equally seeded generators should agree. From where does yours draw?",
)
def _(n, batch_size, rng):
    order = _OTHER.permutation(n)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]
