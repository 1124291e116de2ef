"""Which pictures does a class report have?

Inline SVG like those of `pictures`, each as wide as a telephone, so that its words can be read there; a wide
screen puts several side by side. Colours are classes of the page's style sheet.
"""

import itertools
from collections.abc import Sequence
from html import escape

import numpy as np

from autograder.report.analysis import QuestionReport
from autograder.report.tally import BLANK, FULL, NONE, PART

WIDTH = 380
_TONES = {FULL: "good", PART: "part", NONE: "bad", BLANK: "blank"}
_DECADE = (1, 2, 5)
_FEWEST_COLUMNS = 5


def columns(counts: Sequence[int], edges: Sequence[str], words: Sequence[str], label: str) -> str:
    """A histogram. edges: what stands under the borders, one more than counts; "" for nothing.

    words: what each column says to those who point at it, such as "0 to 10 points".
    """
    left, base, height = 14, 150, 190
    step = (WIDTH - 2 * left) / len(counts)
    tallest = max(counts) or 1
    parts = [f'<line class="grid" x1="{left}" x2="{WIDTH - left}" y1="{base}" y2="{base}"/>']
    for place, count in enumerate(counts):
        high, x = 120 * count / tallest, left + place * step
        if count:
            parts.append(
                f'<rect class="column" x="{x + 2:.1f}" y="{base - high:.1f}" width="{step - 4:.1f}" '
                f'height="{high:.1f}" rx="2"><title>{count} with {escape(words[place])}</title></rect>'
            )
            parts.append(f'<text class="tick" x="{x + step / 2:.1f}" y="{base - high - 6:.1f}">{count}</text>')
    for place, edge in enumerate(edges):
        if edge:
            parts.append(f'<text class="tick" x="{left + place * step:.1f}" y="{base + 20}">{escape(edge)}</text>')
    said = "; ".join(f"{count} with {word}" for count, word in zip(counts, words, strict=True) if count)
    return _svg(height, f"{label}: {said}", parts)


def points_histogram(tenths: Sequence[int], most: float) -> str:
    """Students by points. tenths: counts of each tenth of `most`."""
    borders = [f"{most * place / len(tenths):g}" for place in range(len(tenths) + 1)]
    words = [f"{low} to {high} points" for low, high in itertools.pairwise(borders)]
    return columns(tenths, [edge if not place % 2 else "" for place, edge in enumerate(borders)], words, "Students")


def log_histogram(values: Sequence[float], unit: str) -> str:
    """Submissions by a measure in steps of 1, 2, 5, 10; what is smaller than the first step lies in it."""
    numbers = np.array([value for value in values if value == value], dtype=float)
    high = float(numbers.max(initial=0.0)) or 1.0
    low = max(float(numbers.min(initial=high)), high / 1e4)
    first, last = int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1
    borders = [digit * 10.0**power for power in range(first - 1, last + 2) for digit in _DECADE]
    below = max(0, int(np.searchsorted(borders, low, side="right")) - 1)
    above = int(np.searchsorted(borders, high, side="right"))
    more = max(0, _FEWEST_COLUMNS - (above - below))
    borders = borders[below - more // 2 : above + 1 + more - more // 2]
    places = np.clip(np.searchsorted(borders, numbers, side="right") - 1, 0, len(borders) - 2)
    counts = [int(each) for each in np.bincount(places, minlength=len(borders) - 1)]
    texts = [f"{border:g}" for border in borders]
    words = [f"{one} to {other} {unit}" for one, other in itertools.pairwise(texts)]
    return columns(counts, texts, words, f"Submissions by {unit}")


def shares(questions: Sequence[QuestionReport]) -> str:
    """A bar a question: students with all, part, none of its points, and without a number."""
    row, bar = 40, 14
    parts = []
    for place, question in enumerate(questions):
        y, x = place * row, 0.0
        whole = sum(question.verdicts.values()) or 1
        mean = "" if question.mean_share is None else f"{100 * question.mean_share:.0f} %"
        parts.append(
            f'<text class="start" x="0" y="{y + 15}">{escape(_short(f"{place + 1} {question.item.id}"))}</text>'
        )
        parts.append(f'<text class="tick end" x="{WIDTH}" y="{y + 15}">{mean}</text>')
        for verdict, count in question.verdicts.items():
            wide = WIDTH * count / whole
            if count:
                parts.append(
                    f'<rect class="share {_TONES[verdict]}" x="{x:.2f}" y="{y + 21}" width="{wide:.2f}" height="{bar}">'
                    f"<title>{escape(question.item.title)}: {count} {verdict}</title></rect>"
                )
            x += wide
    said = "; ".join(
        f"{question.item.id}: "
        + ", ".join(f"{count} {verdict}" for verdict, count in question.verdicts.items() if count)
        for question in questions
    )
    return _svg(len(questions) * row, f"Students by question: {said}", parts)


def scatter(questions: Sequence[QuestionReport]) -> str:
    """Each question's discrimination over its mean share, by its number; "" where no question has both."""
    known = [
        (number, each, each.mean_share, each.discrimination)
        for number, each in enumerate(questions, 1)
        if each.mean_share is not None and each.discrimination is not None
    ]
    if not known:
        return ""
    left, right, top, base, height = 40, WIDTH - 14, 34, 240, 284
    easy, good = _range([each[2] for each in known]), _range([each[3] for each in known])

    def x(share: float) -> float:
        return left + 12 + (right - left - 24) * (share - easy[0]) / (easy[-1] - easy[0])

    def y(discrimination: float) -> float:
        return base - (base - top) * (discrimination - good[0]) / (good[-1] - good[0])

    parts = ['<text class="tick start" x="0" y="11">discrimination</text>']
    for tick in good:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="tick end" x="{left - 6}" y="{y(tick) + 4:.1f}">{tick:g}</text>')
    for tick in easy:
        parts.append(f'<text class="tick" x="{x(tick):.1f}" y="{base + 18}">{100 * tick:g} %</text>')
    parts.append(f'<text class="tick" x="{(left + right) / 2:.0f}" y="{height - 8}">mean share of the points</text>')
    for number, each, share, value in known:
        parts.append(
            f'<g class="mark"><circle cx="{x(share):.1f}" cy="{y(value):.1f}" r="9.5"/>'
            f'<text x="{x(share):.1f}" y="{y(value) + 4:.1f}">{number}</text>'
            f"<title>{escape(each.item.title)}: {100 * share:.0f} %, {value:.2f}</title></g>"
        )
    said = "; ".join(f"{each.item.id} {100 * share:.0f} %, {value:.2f}" for _, each, share, value in known)
    return _svg(height, f"Discrimination over mean share: {said}", parts)


def _range(values: Sequence[float]) -> list[float]:
    """Ticks of an axis from below the least to above the greatest value, three to seven of them."""
    low, high = min(values), max(values)
    step = next((each for each in (0.05, 0.1, 0.2, 0.5) if (high - low) / each <= 4), max(1.0, (high - low) / 4))
    first, last = int(np.floor(low / step)), int(np.ceil(high / step))
    return [round(step * each, 2) for each in range(first, max(last, first + 2) + 1)]


def _svg(height: int, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _short(text: str) -> str:
    return text if len(text) <= 44 else f"{text[:43]}…"
