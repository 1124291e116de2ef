"""What does a lecturer look at before a class is graded by a suite?

One self-contained HTML page: for every question who was tried, which check each died in, on which case, and by
how much. It shows names of cases and margins, so it is for teaching staff alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from autograder.report.html import asset, template

PAGE = "proof.html"
_GROUPS = (
    ("right", "Right implementations"),
    ("misconception", "Misconceptions"),
    ("null", "Answers that know nothing"),
    ("spoiled", "Right, but for a spoiled gradient"),
)
_WORDS = {
    "missing": "–",
    "wrong_shape": "shape",
    "wrong_type": "type",
    "not_finite": "NaN",
    "timed_out": "time",
    "out_of_memory": "memory",
    "broken_property": "law",
    "wrong_distribution": "law",
    "below_bar": "bar",
    "wrong_value": "wrong",
    "": "",
}

Proof = Mapping[str, Any]


def proof_page(head: Mapping[str, Any], proof: Sequence[Proof], surveys: Sequence[Proof] = (), *, students: int) -> str:
    """The page of an assignment's proof, as HTML.

    head: `course`, `assignment` (titles), `suite` (digest), `fingerprint` (of the key), `points`. proof: what
    `compile --json` shows of each question. surveys: what became of mutants,
    where they were tried. students: for how many false failures are reckoned.
    """
    return template(PAGE).render(
        style=Markup(f"{asset('style.css')}\n{asset('proof.css')}"),
        short=_short,
        **head,
        students=students,
        expected=expected_false_failures(proof, students),
        verdicts=sum(each["verdicts"] for each in proof),
        seconds=sum(each["seconds"] for each in proof),
        dead=sum(len(each["kills"]) for each in proof),
        questions=[_question(each) for each in proof],
        survivors=sum(len(each["survivors"]) for each in surveys),
        surveys=[{**each, "caught": sum(each["killed"].values())} for each in surveys],
    )


def expected_false_failures(proof: Sequence[Proof], students: int) -> float:
    """How many right answers chance alone may fail in a class of that size, at most, on average."""
    return students * float(sum(each["chance"] for each in proof))


def least_margin(proof: Proof) -> float | None:
    """How many times further off than allowed the nearest misconception is; None where all fail outright."""
    return min((k["margin"] for k in proof["kills"] if isinstance(k["margin"], int | float)), default=None)


def ratios(proof: Proof) -> list[tuple[str, Mapping[str, float]]]:
    """What was measured of right implementations and of those over a factor, by what was measured; in times of the
    reference's."""
    return [(what, proof[name]) for name, what in (("costs", "CPU time"), ("memory", "memory")) if proof[name]]


def bar_told(bar: Proof) -> str:
    """What a bar is, and what it was set from, in a sentence of one question's proof."""
    where = f"{bar['runs']} runs of the reference, {bar['measured']['began'][:10]}, NumPy {bar['provenance']['numpy']}"
    if bar["check"] == "accuracy":
        what = f"nothing up to {bar['nothing']:.3g}, all points from {bar['bar']:.3g}"
    else:
        what = f"passes up to a loss of {bar['bar']:.3g} nats"
    return f"{bar['check']} {what}; the reference reaches {bar['mean']:.3g} in the middle ({where})"


def _question(proof: Proof) -> dict[str, Any]:
    checks = proof["checks"]
    margins = {kill["misconception"]: kill["margin"] for kill in proof["kills"]}
    groups = [
        {
            "title": title,
            "kind": kind,
            "rows": [_row(row, checks, margins) for row in proof["rows"] if row["kind"] == kind],
        }
        for kind, title in _GROUPS
    ]
    wrong = [row for row in proof["rows"] if row["kind"] == "misconception"]
    return {
        "id": proof["question"],
        "topic": proof["topic"],
        "checks": [{**check, "width": max(1, len(check["cases"]))} for check in checks],
        "columns": [
            {"name": case, "first": not n} for check in checks for n, case in enumerate(check["cases"] or [""])
        ],
        "kills": [_killed(wrong, number, case) for number, check in enumerate(checks) for case in _places(check)],
        "groups": [group for group in groups if group["rows"]],
        "margin": least_margin(proof),
        "misconceptions": len(proof["kills"]),
        "right": len(proof["right"]),
        "empty": proof["nulls"] + proof["spoiled"],
        "ratios": ratios(proof),
        "bars": [bar_told(bar) for bar in proof["calibrated"]],
        **{name: proof[name] for name in ("verdicts", "nearest", "chance", "seconds")},
    }


def _places(check: Mapping[str, Any]) -> Sequence[int | None]:
    """Positions of the cases of a check; one None for a check without."""
    return range(len(check["cases"])) if check["cases"] else (None,)


def _killed(rows: Sequence[Mapping[str, Any]], check: int, case: int | None) -> int | str:
    """How many misconceptions a column alone would catch; nothing where none was put to it, as to a long run."""
    ends = [row["outcomes"][check] if case is None else row["cells"][check][case][0] for row in rows]
    return sum(end not in ("", "passed") for end in ends) if any(ends) else ""


def _row(row: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], margins: Mapping[str, Any]) -> dict[str, Any]:
    cells = []
    for outcome, shown in zip(row["outcomes"], row["cells"], strict=True):
        for number, (end, ratio) in enumerate(shown or [(outcome, None)]):
            cells.append({**_cell(row["kind"], end, ratio), "first": not number})
    return {
        "name": row["name"],
        "runs": row["runs"],
        "points": row["points"],
        "margin": _short(margins.get(row["name"])) if row["kind"] == "misconception" else "",
        "cells": cells,
    }


def _cell(kind: str, outcome: str, ratio: float | str | None) -> dict[str, str]:
    """What one implementation did on one case: a mark to be seen from afar, and the words for who looks closer."""
    if not outcome:
        return {"text": "", "tone": "", "title": "not looked at"}
    passed = outcome == "passed"
    number = _short(ratio)
    said = outcome.replace("_", " ")
    title = f"{said}, {number} of what is allowed" if number else said
    if kind == "right":
        return {"text": (number or "✓") if passed else "✗", "tone": "good" if passed else "bad", "title": title}
    if passed:
        return {"text": "·", "tone": "pass", "title": title}
    text = number or _WORDS.get(outcome, said)
    return {"text": text, "tone": "kill" if kind == "misconception" else "", "title": title}


def _short(ratio: float | str | None) -> str:
    """A ratio in few characters: 0.02, 7.5, 320, 4e6."""
    if not isinstance(ratio, int | float):
        return ""
    if ratio == 0:
        return "0"
    if ratio < 0.01:
        return "<.01"
    if ratio < 1000:
        return f"{ratio:.2g}" if ratio < 100 else f"{ratio:.0f}"
    digit, _, exponent = f"{ratio:.0e}".partition("e+")
    return f"{digit}e{int(exponent)}"
