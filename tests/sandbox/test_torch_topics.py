"""Are modules, optimisers and update rules asked in the jail as they are in this process?"""

import numpy as np
import pytest

from autograder.sandbox.limits import Limits
from autograder.suite.draw import draw_cases
from autograder.suite.right import show
from autograder.topic.edits import source_of
from autograder.topic.kinds import observe
from autograder.topic.module import Made
from autograder.values.compare import split
from reference.optimizers import momentum
from reference.residual import ResidualBlock
from reference.torch_optimizers import MomentumSGD
from tests.grading.as_students import plain
from tests.sandbox.conftest import Jail

ROOMY = Limits(memory_mib=2048)
SEED = 3


def notebook_of(topic):
    """A cell that defines what the reference does."""
    (definition,) = topic.reference.values()
    made = f"{topic.name} = {topic.name}()" if isinstance(topic, Made) else ""
    return f"import numpy as np\n\n{plain(source_of(definition))}\n{made}\n"


def asked(topic, case, loaded):
    run = observe(topic, case)
    try:
        request = next(run)
        while True:
            request = run.send(loaded.ask(request, cpu_s=5.0))
    except StopIteration as stop:
        return stop.value


@pytest.mark.parametrize("topic", [momentum, MomentumSGD, ResidualBlock], ids=lambda topic: topic.name)
def test_jail_shows_what_this_process_shows(topic, torch_jail: Jail) -> None:
    loaded = torch_jail.load(notebook_of(topic), wanted=frozenset({topic.name}), limits=ROOMY)
    assert loaded.loaded.missing == frozenset(), loaded.loaded.notes
    cases = draw_cases(topic, np.random.SeedSequence(SEED))
    expected = show(topic, topic.reference, cases.values())
    for name, case in cases.items():
        for block, shown in asked(topic, case, loaded).items():
            (_, one), (_, other) = split(shown), split(expected[name][block])
            assert one.keys() == other.keys()
            for key in one:
                np.testing.assert_allclose(one[key], other[key], rtol=1e-9, atol=1e-12, err_msg=f"{name} {block}")
