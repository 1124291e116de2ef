"""Does the instructor's notebook answer every question as the references do?"""

import runpy
from pathlib import Path

import jupytext
import numpy as np
import pytest

from autograder.checks.conduct import drive
from autograder.sandbox.inprocess import LocalQuestion
from autograder.suite.draw import Worth, draw_plan
from reference.training import mean_loss
from tests.reference.helpers import TOPICS

SEED = 31
SOURCE = Path(__file__).parent.parent.parent / "solutions" / "foundations" / "foundations.py"


@pytest.fixture(scope="module")
def solution():
    return runpy.run_path(str(SOURCE))


@pytest.mark.parametrize("name", TOPICS)
def test_solution_earns_all_points(name, solution):
    plan = draw_plan(TOPICS[name], Worth(name, 10.0, {}), np.random.SeedSequence(SEED))
    result = drive(plan, LocalQuestion(solution).ask)
    assert result.total == 10.0, result.verdicts


def test_solution_ends_the_long_run_where_the_reference_does(solution):
    run = TOPICS["mlp_train"].training.draw(np.random.default_rng(SEED))
    expected = mean_loss(run, TOPICS["mlp_train"](**run))
    assert mean_loss(run, solution["mlp_train"](*run.values())) == pytest.approx(expected, rel=1e-6)


def test_solution_regions_stand_inside_function_bodies():
    """What is left of a cell without its solution must still be a definition, with its docstring."""
    notebook = jupytext.reads(SOURCE.read_text(encoding="utf-8"), fmt="py:percent")
    with_solution = [cell.source for cell in notebook.cells if "### BEGIN SOLUTION" in cell.source]
    assert len(with_solution) == len(TOPICS)
    for source in with_solution:
        kept, inside = [], False
        for line in source.splitlines():
            if line.strip() == "### BEGIN SOLUTION":
                inside = True
                kept.append(line[: len(line) - len(line.lstrip())] + "raise NotImplementedError")
            elif line.strip() == "### END SOLUTION":
                inside = False
            elif not inside:
                kept.append(line)
        names: dict[str, object] = {}
        exec("\n".join(kept), names)
        for defined in names.keys() - {"__builtins__"}:
            assert names[defined].__doc__
