"""How is a JSON document changed so that it stays one, and comes near to what a reader expects?"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

_LIMITS = (0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**40, 0.5, 1e308, -0.0)


def changed(document: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    """A copy of a document with one to four changes.

    words: keys and strings that the reader knows. leaves: values that it knows.
    """
    document = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 4)):
        document = _change(document, chance, words, leaves)
    return document


def _change(document: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    places = list(_places(document))
    holder, key = chance.choice(places) if places else (None, None)
    old = holder[key] if holder is not None else document
    new = chance.choice(_CHANGES)(old, chance, words, leaves)
    if holder is None:
        return new
    holder[key] = new
    return document


def _places(node: Any) -> Any:
    """Every (holder, key) below a node; few of a very large one."""
    waiting, found = [node], 0
    while waiting and found < 500:
        at = waiting.pop()
        items = list(at.items()) if isinstance(at, dict) else list(enumerate(at)) if isinstance(at, list) else []
        for key, value in items:
            yield at, key
            waiting.append(value)
            found += 1


def _leaf(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return json.loads(json.dumps(chance.choice([*leaves, *words, *_LIMITS, None, True, "", [], {}])))


def _tagged(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return {chance.choice(words): old}


def _listed(old: Any, chance: random.Random, words: Sequence[str], leaves: Sequence[Any]) -> Any:
    return [old] * chance.choice((1, 2, 3, 40))


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
