"""What do the ranking losses share: drawn queries, PyTorch's gradient of a mean over queries, a law of two of them?"""

from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from autograder.topic import Array, Case, Float, Int, case


def draw_queries(
    rng: np.random.Generator, lengths: list[int], width: int, *, spread: float = 1.0
) -> dict[str, np.ndarray]:
    """Scores that are not in the order of relevance, grades from 0 to 3 of which two differ, garbage behind."""
    n = len(lengths)
    scores, relevance = spread * rng.normal(size=(n, width)), rng.integers(4, size=(n, width)).astype(float)
    relevance[:, 0] = (relevance[:, 1] + rng.integers(1, 4, size=n)) % 4
    swap = rng.integers(2, size=n) == 1
    relevance[swap, :2] = relevance[swap, 1::-1]
    padding = np.arange(width) >= np.array(lengths)[:, None]
    # The most tempting documents of all, and the least relevant: who ranks them cannot miss it.
    scores[padding], relevance[padding] = rng.uniform(20.0, 40.0, size=padding.sum()), -5.0
    return {"scores": scores, "relevance": relevance, "lengths": np.array(lengths)}


def core_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Cases in which every query has a pair; lengths and widths differ."""
    yield case("ordinary", **draw_queries(rng, rng.permutation([3, 5, 2, 6]).tolist(), 6))
    yield case("one query", **draw_queries(rng, [4], 7))
    yield case("two documents each", **draw_queries(rng, [2] * 5, 2))
    yield case("long lists", **draw_queries(rng, rng.permutation([9, 4, 7]).tolist(), 9))


def by_torch(
    of_query: Callable[[Any, Any], Any],
    scores: Float[Array, "Q M"],
    relevance: Float[Array, "Q M"],
    lengths: Int[Array, "Q"],
) -> tuple[float, Float[Array, "Q M"]]:
    """The mean over the queries of `of_query(scores, relevance)`, with its gradient."""
    import torch

    leaf = torch.tensor(scores, dtype=torch.float64, requires_grad=True)
    grades = torch.tensor(relevance, dtype=torch.float64)
    losses = [of_query(leaf[q, :n], grades[q, :n]) for q, n in enumerate(lengths.tolist())]
    loss = sum(losses, 0 * leaf.sum()) / len(losses)
    loss.backward()
    return loss.item(), leaf.grad.numpy()


def unchanged_by_shifts(inputs: dict[str, Any]) -> Generator[dict[str, Any], dict[str, Any], bool]:
    """Whether a loss stays, within what rounding scores in float32 costs, when each query's scores are shifted."""
    before = yield inputs
    scores = inputs["scores"]
    after = yield {**inputs, "scores": scores + np.arange(1.0, len(scores) + 1)[:, None]}
    return before["loss"].shape == after["loss"].shape and bool(np.abs(after["loss"] - before["loss"]) <= 1e-4)
