"""What is loaded before the first submission comes, so that none pays for it?

Every import here makes each fork a little slower; what few notebooks use is left to them
(`scipy.stats` alone would add a third to the memory that a fork copies).
"""

import gc
import importlib
import sys
import warnings
from collections.abc import Iterable

from autograder.sandbox import worker_pristine

# Modules to import, by the distribution that has them.
_MODULES = {
    "numpy": ("numpy", "numpy.testing"),
    "scipy": ("scipy", "scipy.special", "scipy.linalg"),
    "pandas": ("pandas",),
    "matplotlib": ("matplotlib.pyplot",),
    "tqdm": ("tqdm", "tqdm.auto"),
    "ipython": ("IPython.core.inputtransformer2", "IPython.display"),
    "torch": ("torch", "torch.nn.functional", "torch.optim", "torch.utils.data"),
}
_STDLIB = (
    "abc argparse ast asyncio collections concurrent.futures contextlib copy csv dataclasses datetime decimal "
    "fractions functools glob heapq inspect io itertools json linecache logging math multiprocessing numbers "
    "operator os pathlib pickle pprint queue random re shutil statistics string struct subprocess sys tempfile "
    "textwrap threading time timeit traceback types typing unittest urllib.request uuid warnings zipfile"
).split()


def up(packages: Iterable[str]) -> None:
    """Import what the environment's notebooks are likely to, and do each slow first thing once."""
    for name in _STDLIB:
        importlib.import_module(name)
    for package in packages:
        for name in _MODULES.get(package.lower(), ()):
            importlib.import_module(name)
    if "matplotlib.pyplot" in sys.modules:
        _draw()
    if "torch" in sys.modules:
        _step()
    if "IPython" in sys.modules:
        _translate()
    worker_pristine.remember()
    warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
    gc.collect()
    gc.freeze()


def _draw() -> None:
    from matplotlib import font_manager, pyplot

    figure, axes = pyplot.subplots()
    axes.plot([0, 1], [0, 1], label="warm")
    axes.legend()
    figure.canvas.draw()
    pyplot.close("all")
    fonts = vars(font_manager).get("_get_font")
    if fonts:
        fonts.cache_clear()  # every fork empties this cache, which takes a millisecond where it is full


def _step() -> None:
    import torch

    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight])
    (weight * weight).sum().backward()
    optimizer.step()


def _translate() -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    TransformerManager().transform_cell("%matplotlib inline\nx = 1\n!ls\n")
