"""Minibatches against their laws, and their declared probabilities against an enumeration of all orders."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.sampling import minibatches

SEED = 44


@given(n=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 2**32))
def test_epoch_is_a_partition_into_full_batches_and_a_rest(n, batch_size, seed):
    batches = minibatches(n, batch_size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (math.ceil(n / batch_size) - 1)
    assert 1 <= len(batches[-1]) <= batch_size
    assert all(law.holds({"n": n, "batch_size": batch_size}, batches) for law in minibatches.laws)


@pytest.mark.parametrize(("n", "batch_size"), [(4, 2), (5, 2), (5, 3), (4, 4), (5, 1)])
def test_probabilities_are_those_of_all_orders_equally_likely(n, batch_size):
    """With each order drawn once, every count is its probability times the number of orders."""
    orders = [np.array(order) for order in itertools.permutations(range(n))]
    draws = [[order[i : i + batch_size] for i in range(0, n, batch_size)] for order in orders]
    for law in minibatches.distributions:
        hits, trials, probability = law.counts({"n": n, "batch_size": batch_size}, draws)
        np.testing.assert_allclose(hits, trials * np.asarray(probability), rtol=1e-12)


def test_same_seed_gives_the_same_epochs_and_another_seed_others():
    def epochs(seed):
        rng = np.random.default_rng(seed)
        return [np.concatenate(minibatches(20, 6, rng)).tolist() for _ in range(3)]

    assert epochs(SEED) == epochs(SEED)
    assert len({tuple(order) for order in epochs(SEED) + epochs(SEED + 1)}) == 6
