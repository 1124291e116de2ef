"""How are a question's points split so that the parts add up exactly?"""

from math import floor


def apportion(points: float, shares: list[float]) -> list[float]:
    """Split `points` by `shares` (which add up to 1) into hundredths, largest remainders first."""
    cents = round(points * 100)
    exact = [cents * share for share in shares]
    whole = [floor(part + 1e-9) for part in exact]
    order = sorted(range(len(shares)), key=lambda index: (whole[index] - exact[index], index))
    for index in order[: cents - sum(whole)]:
        whole[index] += 1
    return [part / 100 for part in whole]
