"""Do codec and reader withstand half a minute of inputs that are made to break them?"""

import importlib.util
from pathlib import Path

import pytest

from tests.fuzz import frames, notebooks
from tests.fuzz.campaign import Campaign, fuzz

SECONDS = 15  # each; `make fuzz` takes longer
NO_ATHERIS = importlib.util.find_spec("atheris") is None


@pytest.mark.slow
@pytest.mark.skipif(NO_ATHERIS, reason="there is no atheris for this machine; it comes for Linux on x86_64")
@pytest.mark.parametrize(("kind", "passing", "reached"), [("frames", 0.3, 0.95), ("notebooks", 0.3, 0.9)])
def test_fuzzing_breaks_nothing_and_gets_far(kind: str, passing: float, reached: float, tmp_path: Path) -> None:
    campaign = fuzz(kind, tmp_path, seconds=SECONDS)
    assert not campaign.broke, campaign.told()
    assert campaign.runs > 1000, campaign.told()
    assert campaign.share_passed >= passing, campaign.told()
    assert campaign.coverage >= reached, campaign.told()
    print(campaign.told())


@pytest.mark.parametrize("target", [frames, notebooks], ids=lambda target: target.__name__.rpartition(".")[2])
def test_seeds_are_tried_without_a_fuzzer(target: object) -> None:
    ends = [target.try_one(seed) for seed in target.seeds()]  # type: ignore[attr-defined]
    assert sum(bool(end) for end in ends) > len(ends) / 4


@pytest.mark.skipif(NO_ATHERIS, reason="there is no atheris for this machine; it comes for Linux on x86_64")
@pytest.mark.slow
def test_fuzzing_finds_a_codec_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "site" / "sitecustomize.py"
    broken.parent.mkdir()
    # In the fuzzer's process alone: a decoder that trips over a tuple of three.
    broken.write_text(
        "import struct\nfrom autograder.values import codec\nright = codec._Decoder.tagged\n"
        "def tagged(self, tag, body, depth):\n"
        "    if tag == 'tuple' and isinstance(body, list) and len(body) == 3:\n        raise KeyError('three')\n"
        "    return right(self, tag, body, depth)\n"
        "codec._Decoder.tagged = tagged\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    campaign: Campaign = fuzz("frames", tmp_path / "fuzz", seconds=30)
    assert "KeyError" in campaign.broke, campaign.told()
    assert list((tmp_path / "fuzz").glob("crash-*"))
