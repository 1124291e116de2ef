"""Which pictures say more than a sentence?

Inline SVG, drawn here: no script, no file beside the page. Colours are classes of the page's style sheet,
so that a picture is dark where the page is, and each has a text for those who do not see it.
"""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from autograder.grading.record import Curve, Difference

LEVELS = (1e-3, 1e-2, 1e-1, 1.0)  # relative errors between one shade and the next
_WITH_NUMBERS = (6, 8)  # rows, columns up to which the numbers are written into the map
_MOST = 48  # rows or columns that are drawn


def heat_map(difference: Difference) -> str:
    """Relative error over a block: one square an entry, with both numbers where there is room."""
    actual, expected = _matrix(difference.actual, difference.shape), _matrix(difference.expected, difference.shape)
    scale = float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        error = np.abs(actual - expected)
    rows, columns = error.shape
    numbers = rows <= _WITH_NUMBERS[0] and columns <= _WITH_NUMBERS[1]
    wide, high = (84, 44) if numbers else (14, 14)
    shown = error[:_MOST, :_MOST]
    parts = []
    for (row, column), size in np.ndenumerate(shown):
        level = _level(float(size), scale, difference.within)
        x, y = column * wide, row * high
        got, wanted = _number(float(actual[row, column])), _number(float(expected[row, column]))
        parts.append(
            f'<g class="heat{level}"><rect x="{x + 1}" y="{y + 1}" width="{wide - 2}" height="{high - 2}" rx="3"/>'
            f"<title>row {row + 1}, column {column + 1}: {got}, expected {wanted}</title>"
        )
        if numbers:
            parts.append(f'<text x="{x + wide / 2:g}" y="{y + 19}">{got}</text>')
            if level:
                parts.append(f'<text class="wanted" x="{x + wide / 2:g}" y="{y + 35}">{wanted}</text>')
        parts.append("</g>")
    wrong = int(sum(_level(float(size), scale, difference.within) > 0 for size in error.ravel()))
    label = f"Relative error of {error.size} entries: {wrong} differ"
    return _svg(shown.shape[1] * wide, shown.shape[0] * high, label, parts, "heat")


def loss_curve(curve: Curve) -> str:
    """A run's loss over the epochs, on a logarithmic scale, over the band of the reference's runs."""
    width, height, left, bottom = 560, 260, 58, 38
    losses = [loss for loss in curve.loss if loss is not None and loss > 0]
    low = math.floor(math.log10(min([*losses, *curve.low])) * 2) / 2
    high = math.ceil(math.log10(max([*losses, *curve.high])) * 2) / 2
    high = high if high > low else low + 0.5

    def x(epoch: float) -> float:
        return left + (width - left - 12) * epoch / curve.epochs[-1]

    def y(loss: float) -> float:
        return 10 + (height - bottom - 10) * (high - math.log10(loss)) / (high - low)

    parts = []
    for half in range(round(low * 2), round(high * 2) + 1):
        loss = 10 ** (half / 2)
        parts.append(f'<line class="grid" x1="{left}" x2="{width - 12}" y1="{y(loss):.1f}" y2="{y(loss):.1f}"/>')
        parts.append(f'<text class="tick end" x="{left - 8}" y="{y(loss) + 4:.1f}">{loss:.2g}</text>')
    for epoch in _ticks(curve.epochs[-1]):
        parts.append(f'<text class="tick" x="{x(epoch):.1f}" y="{height - bottom + 18}">{epoch}</text>')
    parts.append(f'<text class="tick" x="{(left + width) / 2:.0f}" y="{height - 4}">epochs</text>')
    upper = [f"{x(e):.1f},{y(v):.1f}" for e, v in zip(curve.epochs, curve.high, strict=True)]
    lower = [f"{x(e):.1f},{y(v):.1f}" for e, v in zip(curve.epochs, curve.low, strict=True)]
    parts.append(f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/>')
    for run in _runs(curve):
        points = " ".join(f"{x(epoch):.1f},{y(loss):.1f}" for epoch, loss in run)
        parts.append(f'<polyline class="line" points="{points}"/>')
        parts += [f'<circle class="dot" cx="{x(e):.1f}" cy="{y(v):.1f}" r="3.5"/>' for e, v in run]
    last = curve.loss[-1]
    label = f"Loss over {curve.epochs[-1]} epochs: yours ends at {_number(last)}, "
    label += f"the reference's between {_number(curve.low[-1])} and {_number(curve.high[-1])}"
    return _svg(width, height, label, parts, "curve")


def histogram(points: Sequence[float], most: float) -> str:
    """How many students have how many points, in tenths of all."""
    counts = [0] * 10
    for value in points:
        counts[min(9, int(10 * value / most + 1e-9))] += 1
    width, height, base, step = 560, 190, 160, 56
    tallest = max(counts) or 1
    parts = [f'<line class="grid" x1="0" x2="{width}" y1="{base}" y2="{base}"/>']
    for number, count in enumerate(counts):
        high = 130 * count / tallest
        x = number * step
        first, last = most * number / 10, most * (number + 1) / 10
        if count:
            parts.append(
                f'<rect class="column" x="{x + 4}" y="{base - high:.1f}" width="{step - 8}" height="{high:.1f}" rx="3">'
                f"<title>{count} with {first:g} to {last:g} points</title></rect>"
            )
            parts.append(f'<text class="tick" x="{x + step / 2:g}" y="{base - high - 6:.1f}">{count}</text>')
        parts.append(f'<text class="tick" x="{x + step / 2:g}" y="{base + 20}">{first:g}–{last:g}</text>')
    label = f"Points of {len(points)} students, in ten classes: {', '.join(map(str, counts))}"
    return _svg(width, height, label, parts, "histogram")


def _svg(width: float, height: float, label: str, parts: Sequence[str], kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _matrix(values: Sequence[float | None], shape: Sequence[int]) -> np.ndarray:
    """The entries as rows and columns: a vector is one row, further axes run along the columns."""
    array = np.array([math.nan if value is None else value for value in values], dtype=float)
    return array.reshape(shape[0], -1) if len(shape) > 1 else array.reshape(1, -1)


def _level(error: float, scale: float, within: float) -> int:
    """0 where it is right, 1 to 5 by the size of the relative error, 5 where there is no number."""
    if error <= within:
        return 0
    relative = error / scale
    return 1 + sum(relative >= level for level in LEVELS) if relative == relative else 5


def _number(value: float | None) -> str:
    return "no number" if value is None or not math.isfinite(value) else f"{value:.4g}"


def _runs(curve: Curve) -> list[list[tuple[int, float]]]:
    """The points of the line, in pieces where a loss is missing."""
    runs: list[list[tuple[int, float]]] = [[]]
    for epoch, loss in zip(curve.epochs, curve.loss, strict=True):
        if loss is None or loss <= 0:
            runs.append([])
        else:
            runs[-1].append((epoch, loss))
    return [run for run in runs if run]


def _ticks(last: int) -> list[int]:
    step = max(1, 10 ** math.floor(math.log10(last)))
    step = next(each for each in (step, 2 * step, 5 * step) if last / each <= 7) if last / step > 7 else step
    return list(range(0, last + 1, step))
