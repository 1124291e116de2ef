"""Does the docstring of a reference say what students need, and is its example true?

They are given the signature and the docstring, and nothing else that was written for them.
"""

import doctest
import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from autograder.topic.declare import Topic


def undescribed(topic: Topic) -> Iterator[str]:
    """A sentence for its author for everything that the docstrings of a topic's reference leave out or get wrong.

    A layer's `out`, `dout` and `cache` are the same for every layer and need no words; one example is enough for both
    of its functions.
    """
    texts = {name: inspect.getdoc(definition) or "" for name, definition in topic.reference.items()}
    for name, definition in topic.reference.items():
        if not texts[name].strip():
            yield (
                f"{name} has no docstring, and that is all that students read of the question beside its signature. "
                "Write what it computes, what each argument and output is, and an example that begins with >>>"
            )
            continue
        is_given = topic.is_class or (topic.kind == "layer" and definition is not topic.main)
        parameters = () if is_given else tuple(inspect.signature(definition).parameters)
        if missing := _unnamed(parameters, texts[name]):
            yield (
                f"the docstring of {name} does not name {_listed('argument', missing)}: say there what it is, with "
                "its shape"
            )
    yield from _examples(topic)
    outputs = topic.returns if len(topic.returns) > 1 and not topic.is_class and topic.kind != "layer" else ()
    if all(texts.values()) and (missing := _unnamed(outputs, " ".join(texts.values()))):
        yield (
            f"the docstring of {next(iter(texts))} does not name {_listed('output', missing)}, which stands in "
            "`returns`: students see that name on their feedback page; say in the docstring what it is"
        )


def _unnamed(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)]


def _listed(what: str, names: list[str]) -> str:
    return f"the {what} {names[0]}" if len(names) == 1 else f"the {what}s {', '.join(names)}"


def _examples(topic: Topic) -> Iterator[str]:
    """What is wrong with the examples of the docstrings, which see what their module does."""
    found: list[doctest.DocTest] = []
    for name, definition in topic.reference.items():
        known = {**getattr(inspect.getmodule(definition), "__dict__", {}), **topic.reference}
        try:
            found += doctest.DocTestFinder(recurse=False).find(definition, name, globs=known)
        except ValueError as error:  # its own sentence says which line of the docstring it cannot read
            yield f"the example in the docstring of {name} cannot be read: {error}"
            return
    if not any(test.examples for test in found) and all(inspect.getdoc(each) for each in topic.reference.values()):
        name = next(iter(topic.reference))
        yield (
            f"the docstring of {name} has no example. Add one: a line `>>> {name}(...)` with small numbers, and under "
            "it what Python prints"
        )
    for test in found:
        runner = _First(verbose=False)
        runner.run(test, out=lambda text: None)
        yield from runner.sentences


class _First(doctest.DocTestRunner):
    """Keeps a sentence about the first line that does not hold; those after it often fail because of it."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self.sentences: list[str] = []

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        self._keep(test, example, f"prints {_brief(got)}, and the docstring says {_brief(example.want)}")

    def report_unexpected_exception(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        self._keep(test, example, f"raises {exc_info[0].__name__}: {_brief(str(exc_info[1]))}")

    def _keep(self, test: doctest.DocTest, example: doctest.Example, what: str) -> None:
        if not self.sentences:
            self.sentences.append(
                f"the example in the docstring of {test.name} does not hold: `{_brief(example.source)}` {what}. Mend "
                "the one that is wrong"
            )


def _brief(text: str) -> str:
    words = " ".join(text.split()) or "nothing"
    return words if len(words) <= 100 else f"{words[:100]}..."
