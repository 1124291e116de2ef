"""Is what a replay writes down the very call: run as Python, does it give what was observed?"""

import functools
import inspect
from pathlib import Path

import numpy as np
import pytest

from autograder.course.load import load_course
from autograder.course.references import load_topics
from autograder.report.calls import shown, written
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.draw import draw_cases
from autograder.topic.kinds import observe
from autograder.values.codec import Handle

TOPICS = load_topics(load_course(Path(__file__).parents[2]))
ONE_OF_EACH = (
    "softmax", "affine", "numerical_gradient", "gradient_check", "value", "he_normal", "relu", "batch_norm_statistics",
)  # fmt: skip
CHOSEN = [name for name in ONE_OF_EACH if name in TOPICS]
KINDS = {
    kind: next(name for name, topic in TOPICS.items() if topic.kind == kind) for kind in ("function", "layer", "class")
}


def exchanged(topic, case):
    """What the reference is asked on a case, with its answers."""
    desk, run, exchanges = LocalQuestion(topic.reference), observe(topic, case), []
    try:
        ask = next(run)
        while True:
            exchanges.append((ask, desk.ask(ask)))
            ask = run.send(exchanges[-1][1])
    except StopIteration:
        return exchanges


def flat(value):
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flat(value[key]) if key != "arguments"]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flat(item)]
    return [] if isinstance(value, Handle) else [value]


@pytest.mark.parametrize("name", sorted({*CHOSEN, *KINDS.values()}))
def test_written_calls_give_what_was_observed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = TOPICS[name]
    cases = draw_cases(topic, np.random.SeedSequence(11))
    for case in list(cases.values())[:3]:
        exchanges = exchanged(topic, case)
        made = written(exchanges, topic.reference)
        names = {"np": np, "functools": functools, "inf": np.inf, "nan": np.nan, **topic.reference}
        for function in (f.function for ask, _ in exchanges for f in ask.callables.values()):
            names |= vars(inspect.getmodule(function))
        for file, array in made.files.items():
            np.save(tmp_path / file, array)
        monkeypatch.chdir(tmp_path)
        exec("\n".join(made.lines), names)
        got = [leaf for _, expression in made.prints for leaf in flat(eval(expression, names))]
        wanted = [leaf for _, answer in exchanges for leaf in flat(answer.value)]
        assert len(got) == len(wanted) > 0
        for one, other in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(one, dtype=float), np.asarray(other, dtype=float))


def test_there_is_a_topic_of_each_kind() -> None:
    assert len(CHOSEN) >= 4


def test_arguments_have_the_names_of_the_reference() -> None:
    topic = TOPICS["softmax"]
    case = next(iter(draw_cases(topic, np.random.SeedSequence(1)).values()))
    made = written(exchanged(topic, case), topic.reference)
    assert [line.partition(" =")[0] for line in made.lines] == ["logits", "result"]
    assert made.lines[-1] == "result = softmax(logits)"


def test_large_arrays_are_files_and_shown_short() -> None:
    topic = TOPICS["softmax"]
    case = next(iter(draw_cases(topic, np.random.SeedSequence(1)).values())).at(logits=np.zeros((100, 100)))
    made = written(exchanged(topic, case), topic.reference)
    assert made.files["array1.npy"].shape == (100, 100)
    assert made.lines == ["result = softmax(np.load('array1.npy'))"]
    assert len(shown(np.zeros((100, 100)))) < 600
