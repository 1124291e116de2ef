"""How is a compiled suite kept, and when is a kept one still the right one?

A suite is one file of codec bytes with expected values, tolerances and what misconceptions show; its proof
lies beside it. Inputs are not kept: they are drawn again from the key, and a hash says that they are the
same.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from autograder.checks.plan import Bar, Mark, Plan
from autograder.topic.kinds import Failure, Observed
from autograder.values import codec
from autograder.values.asking import Answer
from autograder.values.compare import Expectation, Leaf, split
from autograder.values.outcomes import Outcome

FORMAT = 4
SUITE, PROOF = "suite.bin", "proof.json"  # of an assignment, in a folder of its own
_JUDGING = ("checks", "suite", "topic", "values")  # the packages whose code decides about points


@dataclass(frozen=True)
class Suite:
    """The hidden suite of one assignment.

    digest: SHA-256 over the file, the name a record knows it by. provenance: hash over what it was made
    from. fingerprint: of the course's key.
    """

    assignment: str
    plans: tuple[Plan, ...]
    digest: str
    provenance: str
    fingerprint: str
    proof: Sequence[Mapping[str, Any]]

    @property
    def points(self) -> float:
        return round(sum(plan.points for plan in self.plans), 2)


def provenance_of(*parts: Any) -> str:
    """A hash over what a suite is made from: the given parts, the judging code, NumPy's version."""
    hashed = hashlib.sha256(json.dumps([FORMAT, np.__version__, *parts], sort_keys=True).encode())
    for package in _JUDGING:
        root = Path(str(files("autograder") / package))
        for source in sorted(root.rglob("*.py")):
            hashed.update(source.read_bytes())
    return hashed.hexdigest()


def plan_tree(plan: Plan, cases_digest: str, calibrated: dict[str, str]) -> dict[str, Any]:
    """What is kept of a plan, as a tree the codec takes. calibrated: provenance of its bars."""
    bar, mark = plan.bar, plan.mark
    return {
        "cases": cases_digest,
        "expectations": {
            case: {block: _expectation_tree(each) for block, each in blocks.items()}
            for case, blocks in plan.expectations.items()
        },
        "draws": plan.draws,
        "bar": [bar.log_loss, bar.mean, bar.deviation, bar.seeds, bar.shapes] if bar else None,
        "mark": [mark.nothing, mark.everything, mark.mean, mark.deviation, mark.seeds, mark.shapes] if mark else None,
        "calibrated": calibrated,
        "wrong": {
            name: {case: observed_tree(observed) for case, observed in shown.items()}
            for name, shown in plan.wrong.items()
        },
        "pairs": [
            [*names, {case: observed_tree(observed) for case, observed in shown.items()}]
            for names, shown in plan.pairs.items()
        ],
    }


def expectations_from(tree: dict[str, Any]) -> dict[str, dict[str, Expectation]]:
    return {
        case: {block: _expectation_from(each) for block, each in blocks.items()}
        for case, blocks in tree["expectations"].items()
    }


def bar_from(tree: dict[str, Any]) -> Bar | None:
    if tree["bar"] is None:
        return None
    log_loss, mean, deviation, seeds, shapes = tree["bar"]
    return Bar(log_loss, mean, deviation, seeds, shapes)


def mark_from(tree: dict[str, Any]) -> Mark | None:
    return None if tree["mark"] is None else Mark(*tree["mark"])


def wrong_from(tree: dict[str, Any]) -> dict[str, dict[str, Observed]]:
    return {
        name: {case: observed_from(observed) for case, observed in shown.items()}
        for name, shown in tree["wrong"].items()
    }


def pairs_from(tree: dict[str, Any]) -> dict[tuple[str, str], dict[str, Observed]]:
    return {
        (one, other): {case: observed_from(observed) for case, observed in shown.items()}
        for one, other, shown in tree["pairs"]
    }


def write(folder: Path, head: dict[str, Any], plans: dict[str, Any], proof: list[dict[str, Any]]) -> str:
    """Write a suite and its proof; returns its digest.

    The proof says how long it took, so it is no part of what the digest is over: the same suite, made again, has the
    same name. Which suite it belongs to stands in it.
    """
    payload = codec.encode({"head": head, "plans": plans})
    digest = hashlib.sha256(payload).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / PROOF, (json.dumps({"suite": digest, "questions": proof}) + "\n").encode())
    replace_file(folder / SUITE, payload)
    return digest


def read(folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]], str] | None:
    """Head, plans, proof and digest of the kept suite, or None where there is none that can be read, or without its
    proof."""
    try:
        payload = (folder / SUITE).read_bytes()
        tree, proof = codec.decode(payload), json.loads((folder / PROOF).read_bytes())
        digest = hashlib.sha256(payload).hexdigest()
        return (tree["head"], tree["plans"], proof["questions"], digest) if proof["suite"] == digest else None
    except (FileNotFoundError, codec.CodecError, KeyError, TypeError, ValueError):
        return None


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _expectation_tree(expectation: Expectation) -> list[Any]:
    leaves = [
        [key, leaf.value, leaf.allowed64, leaf.allowed32, leaf.deciding] for key, leaf in expectation.leaves.items()
    ]
    return [expectation.container, leaves, expectation.axes]


def _expectation_from(tree: list[Any]) -> Expectation:
    container, leaves, axes = tree
    return Expectation(
        container,
        {
            key: Leaf(np.asarray(value), np.asarray(allowed64), np.asarray(allowed32), deciding)
            for key, value, allowed64, allowed32, deciding in leaves
        },
        axes,
    )


def observed_tree(observed: Observed) -> dict[str, Any]:
    """What was shown on one case, as a tree the codec takes; of a failure, what it is recognised by."""
    return {block: _shown_tree(shown) for block, shown in observed.items()}


def _shown_tree(shown: Any) -> Any:
    if isinstance(shown, Failure):
        detail = shown.answer.detail
        return ["failure", str(shown.outcome), str(detail.get("type", "")), str(detail.get("text", ""))]
    try:
        container, arrays = split(shown)
    except TypeError:
        return ["other"]
    if container == "list":
        return ["shown", list(arrays.values())]
    return ["shown", dict(arrays) if container else arrays[""]]


def observed_from(tree: dict[str, Any]) -> Observed:
    """What `observed_tree` was made of; None for what no comparison takes."""
    return {block: _shown_from(shown) for block, shown in tree.items()}


def _shown_from(tree: list[Any]) -> Any:
    if tree[0] == "failure":
        return Failure(Outcome(tree[1]), "", Answer("raised", detail={"type": tree[2], "text": tree[3]}))
    return tree[1] if tree[0] == "shown" else None
