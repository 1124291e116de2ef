"""Are the images of digits new, whole and honest?"""

import numpy as np
import pytest

from reference import digits as module
from reference.digits import digits, moved

SEED = 41


def test_same_seed_same_images_and_another_seed_others():
    (x, y), (again, labels), (other, _) = (
        digits(np.random.default_rng(seed), 50)[0] for seed in (SEED, SEED, SEED + 1)
    )
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(y, labels)
    assert np.abs(x - other).max() > 0.5


def test_sets_have_their_sizes_and_every_class_equally_often():
    sets = digits(np.random.default_rng(SEED), 200, 70)
    assert [x.shape for x, _ in sets] == [(200, 64), (70, 64)]
    for (_, y), each in zip(sets, (20, 7), strict=True):
        assert np.bincount(y, minlength=10).tolist() == [each] * 10


def test_sets_share_no_original(monkeypatch):
    """Originals that carry their own number in every pixel, and are left as they are."""
    count = 1797
    labels = np.arange(count) % 10
    numbered = np.broadcast_to(np.arange(count, dtype=float)[:, None, None], (count, 8, 8))
    monkeypatch.setattr(module, "_originals", lambda: (numbered, labels))
    monkeypatch.setattr(module, "moved", lambda rng, images: images)
    monkeypatch.setattr(module, "_NOISE", 0.0)
    sets = digits(np.random.default_rng(SEED), 900, 500)
    numbers = [np.round(x[:, 0] + module._GREY).astype(int) for x, _ in sets]
    assert len(np.unique(np.concatenate(numbers))) == 1400
    for which, (_, y) in zip(numbers, sets, strict=True):
        np.testing.assert_array_equal(which % 10, y)


def test_every_image_is_far_from_every_public_one():
    originals, _ = module._originals()
    (x, _), *_ = digits(np.random.default_rng(SEED), 100)
    flat = originals.reshape(len(originals), -1)
    distances = np.linalg.norm(x[:, None] + module._GREY - flat[None], axis=2)
    assert distances.min() > 0.5  # of a length of about 4


def test_images_still_look_like_their_digits():
    """Most are nearest to a moved image of their own class: what the exam asks for can be learned."""
    (x, y), (other, labels) = digits(np.random.default_rng(SEED), 1000, 200)
    nearest = np.linalg.norm(other[:, None] - x[None], axis=2).argmin(axis=1)
    assert (y[nearest] == labels).mean() > 0.85


class Still:
    """A generator that turns and shifts by what it is told."""

    def __init__(self, angle, down, right):
        self.answers = [np.full((1, 1, 1), angle), np.array([down, right]).reshape(2, 1, 1, 1)]

    def uniform(self, low, high, size):
        answer = self.answers.pop(0)
        assert answer.shape == size
        return answer


def dot(row, column, size=8):
    image = np.zeros((1, size, size))
    image[0, row, column] = 1.0
    return image


@pytest.mark.parametrize(
    ("angle", "down", "right", "expected"),
    [
        (0.0, 0.0, 0.0, {(2, 3): 1.0}),
        (0.0, 1.0, 0.0, {(1, 3): 1.0}),
        (0.0, 0.0, -2.0, {(2, 5): 1.0}),
        (0.0, 0.25, 0.0, {(2, 3): 0.75, (1, 3): 0.25}),
        (0.0, 0.5, 0.5, {(2, 3): 0.25, (1, 3): 0.25, (2, 2): 0.25, (1, 2): 0.25}),
        (np.pi, 0.0, 0.0, {(5, 4): 1.0}),
        (np.pi / 2, 0.0, 0.0, {(3, 5): 1.0}),
        (0.0, 3.0, 0.0, {}),
    ],
    ids=["nothing", "up", "right", "a quarter", "diagonal", "half a turn", "quarter of a turn", "out of the picture"],
)
def test_a_dot_moves_where_it_should(angle, down, right, expected):
    image = np.zeros((8, 8))
    for place, value in expected.items():
        image[place] = value
    np.testing.assert_allclose(moved(Still(angle, down, right), dot(2, 3))[0], image, atol=1e-12)
