"""Does the threat model name acts and tests that there are?"""

import re
from pathlib import Path

from tests.hostile.test_corpus import CORPUS, KINDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")


def test_acts_that_are_named_are_in_the_corpus() -> None:
    named = re.findall(rf"`((?:{'|'.join(KINDS)}): [^`]+)`", TEXT)
    assert len(named) > 15
    assert [name for name in named if name not in CORPUS] == []


def test_tests_that_are_named_are_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", TEXT)
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_kind_of_act_stands_in_the_model() -> None:
    assert {kind for kind in KINDS if f"`{kind}: " not in TEXT and f"acts/{kind}.py" not in TEXT} == set()
