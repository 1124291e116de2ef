"""How are a question's points split so that the parts add up exactly, and which parts are earned together?"""

from collections.abc import Sequence
from dataclasses import replace
from math import floor

from autograder.checks.plan import Check

ALL = "*"  # in a group: every check of the question


def apportion(points: float, shares: list[float]) -> list[float]:
    """Split `points` by `shares` (which add up to 1) into hundredths, largest remainders first."""
    cents = round(points * 100)
    exact = [cents * share for share in shares]
    whole = [floor(part + 1e-9) for part in exact]
    order = sorted(range(len(shares)), key=lambda index: (whole[index] - exact[index], index))
    for index in order[: cents - sum(whole)]:
        whole[index] += 1
    return [part / 100 for part in whole]


def grouped(checks: Sequence[Check], groups: Sequence[Sequence[str]]) -> tuple[Check, ...]:
    """The checks, each with its group. ValueError for a name that no check has, or that is in two groups."""
    of = {name: ", ".join(group) for group in groups for name in group}
    known = {check.block for check in checks}
    for number, group in enumerate(groups):
        for name in group:
            if name != ALL and name not in known:
                raise ValueError(f"groups names {name!r}, which is no check; there are: {', '.join(sorted(known))}")
            if name in {other for each in groups[:number] for other in each}:
                raise ValueError(f"groups names {name!r} twice")
    return tuple(replace(check, group=of.get(check.block, of.get(ALL, ""))) for check in checks)
