"""Do the documents tell of everything that there is, and of nothing that there is not?"""

import argparse
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.cli.main import parser
from autograder.course.load import Course, load_assignment
from autograder.course.references import load_topics
from autograder.suite.contract import broken_contract
from autograder.suite.described import undescribed
from autograder.suite.draw import draw_cases

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def commands() -> dict[str, argparse.ArgumentParser]:
    (chosen,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(chosen.choices)


def text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


@pytest.mark.parametrize("name", commands())
def test_docs_show_the_command(name: str) -> None:
    assert f"autograder {name}" in text()


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name, command in commands().items()
        for action in command._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    ],
    ids=lambda value: value,
)
def test_docs_show_the_option(name: str, option: str) -> None:
    assert f"`{option}" in text(), f"{option} of autograder {name} is in no document"


def test_docs_show_no_command_that_is_not_there() -> None:
    shown = set(re.findall(r"`autograder ([a-z]+)\b", text()))
    assert shown
    assert shown <= set(commands())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_docs_link_to_files_that_exist(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if not (path.parent / link).exists()]
    assert not missing


def test_authoring_examples_are_a_topic_that_loads(new_course: Course) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8"), re.DOTALL)
    (new_course.dir / "reference" / "examples.py").write_text("\n".join(blocks), encoding="utf-8")
    topic = load_topics(new_course)["softmax_cross_entropy"]
    assert len(topic.misconceptions) == 2
    assert len(topic.properties) == len(topic.alternatives) == 1
    assert topic.case_maker is not None
    assert broken_contract(topic, draw_cases(topic, np.random.SeedSequence(7))) == []
    for case in topic.case_maker(np.random.default_rng(7)):
        loss, dlogits = topic(**case.inputs)
        assert np.isfinite(loss)
        assert dlogits.shape == case.inputs["logits"].shape


def test_authoring_update_rule_and_sampler_are_documented_as_the_page_asks(new_course: Course) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8"), re.DOTALL)
    (new_course.dir / "reference" / "examples.py").write_text("\n".join(blocks), encoding="utf-8")
    topics = load_topics(new_course)
    for name in ("momentum", "dropout_mask"):
        assert list(undescribed(topics[name])) == []


def test_authoring_assignment_is_one_that_loads(new_course: Course) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8"), re.DOTALL)
    path = new_course.dir / "assignments" / "documented" / "assignment.toml"
    path.parent.mkdir()
    path.write_text(block, encoding="utf-8")
    assert load_assignment(new_course, "documented").questions[0].weights == {"dlogits": 2.0}


def test_makefile_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {"demo", "test", "check"} <= shown <= targets
