"""Does torch work in the jail, and can nothing that a notebook does with it hang the class?"""

import numpy as np

from autograder.sandbox.limits import Limits
from tests.sandbox.conftest import Jail

ROOMY = Limits(memory_mib=2048)


def test_tensor_crosses_as_an_array(torch_jail: Jail) -> None:
    loaded = torch_jail.load(
        "import torch",
        "def f(x):\n    t = torch.from_numpy(x).requires_grad_()\n    (t * t).sum().backward()\n    return t.grad",
        limits=ROOMY,
    )
    np.testing.assert_array_equal(loaded.result("f", np.arange(3.0)), 2 * np.arange(3.0))


def test_more_threads_at_loading_do_not_hang_a_question(torch_jail: Jail) -> None:
    loaded = torch_jail.load(
        "import torch\ntorch.set_num_threads(2)\na = torch.ones(500, 500) @ torch.ones(500, 500)",
        "def f():\n    return float((torch.ones(500, 500) @ torch.ones(500, 500)).sum())",
        limits=ROOMY,
    )
    assert loaded.result() == 500.0**3


LOADER = """
import torch
from torch.utils.data import DataLoader, TensorDataset
import pytest

pytestmark = pytest.mark.slow
def f():
    batches = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
    return [float(batch[0].sum()) for batch in batches]
"""


def test_data_loader_with_workers_works_in_a_question(torch_jail: Jail) -> None:
    loaded = torch_jail.load(LOADER, limits=ROOMY)
    question = loaded.question(5.0)
    from tests.sandbox.conftest import call

    assert torch_jail.run(question.ask(call("f"))).value == [6.0, 22.0]
    torch_jail.run(question.close())


def test_data_loader_with_workers_works_at_loading(torch_jail: Jail) -> None:
    loaded = torch_jail.load(LOADER, "sums = f()", "def g():\n    return sums", limits=ROOMY)
    assert "stopped" not in loaded.kinds
    assert loaded.result("g") == [6.0, 22.0]


def test_memory_hog_in_torch_is_out_of_memory(torch_jail: Jail) -> None:
    from tests.sandbox.conftest import call

    loaded = torch_jail.load(
        "import torch", "def f():\n    return float(torch.ones(10**9).sum())", limits=Limits(memory_mib=256)
    )
    assert loaded.ask(call("f")).status == "out_of_memory"


def test_optimizer_is_warm(torch_jail: Jail) -> None:
    from tests.sandbox.conftest import call

    step = (
        "def f():\n"
        "    w = torch.nn.Parameter(torch.ones(2))\n"
        "    o = torch.optim.SGD([w], lr=0.1)\n"
        "    (w * w).sum().backward()\n"
        "    o.step()\n"
        "    return w"
    )
    answer, usage = torch_jail.load("import torch", step, limits=ROOMY).ask_and_close(call("f"))
    np.testing.assert_allclose(answer.value, [0.8, 0.8], rtol=1e-6)
    assert usage.cpu_s < 0.3
