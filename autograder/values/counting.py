"""How many, in words?"""


def counted(number: int, noun: str) -> str:
    """`1 submission`, `3 submissions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
