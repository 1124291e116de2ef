"""How is a JSON document changed so that it stays one, and comes near to what a reader expects?"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

_STOP = 0.2  # at each level
_LIMITS = (0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**40, 0.5, 1e308, -0.0)


def changed(document: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    """A document with one to four changes, which are made in place.

    words: keys and strings that the reader knows. leaves: values that it knows.
    """
    for _ in range(chance.randint(1, 4)):
        document = _change(document, chance, words, leaves)
    return document


def _change(document: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    holder, key = _place(document, chance)
    old = holder[key] if holder is not None else document
    new = chance.choice(_CHANGES)(old, chance, words, leaves)
    if holder is None:
        return new
    holder[key] = new
    return document


def _place(document: Any, chance: random.Random) -> tuple[Any, Any]:
    """A (holder, key) below a document, as often near its root as far from it; (None, None) for the document itself."""
    holder, key, at = None, None, document
    while isinstance(at, dict | list) and at and chance.random() > _STOP:
        holder, key = at, chance.choice(list(at)) if isinstance(at, dict) else chance.randrange(len(at))
        at = holder[key]
    return holder, key


def _leaf(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return json.loads(json.dumps(chance.choice([*leaves, *words, *_LIMITS, None, True, "", [], {}])))


def _tagged(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return {chance.choice(words): old}


def _listed(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return [old] * chance.choice((1, 2, 3) if isinstance(old, dict | list) else (1, 2, 3, 40))  # or 40 times 40 of all


def _renamed(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    if isinstance(old, dict) and old:
        key = chance.choice(list(old))
        return {chance.choice(words) if name == key else name: value for name, value in old.items()}
    return _tagged(old, chance, words, leaves)


def _grown(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    new = _leaf(old, chance, words, leaves)
    if isinstance(old, list):
        return [*old, new]
    return {**old, chance.choice(words): new} if isinstance(old, dict) else [old, new]


def _shrunk(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    if isinstance(old, list) and old:
        return [item for number, item in enumerate(old) if number != chance.randrange(len(old))]
    if isinstance(old, dict) and old:
        gone = chance.choice(list(old))
        return {key: value for key, value in old.items() if key != gone}
    return None


def _deep(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    word = chance.choice([None, *words])
    for _ in range(chance.choice((3, 20, 60))):
        old = [old] if word is None else {word: [old]}
    return old


def _text(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return "".join(chance.choice(["a", "\r", "\n", "\0", "\ud800", "é", "李", "# %%", '"""', *words]) for _ in range(6))


_CHANGES: tuple[Callable[..., Any], ...] = (_leaf, _tagged, _listed, _renamed, _grown, _shrunk, _deep, _text)
