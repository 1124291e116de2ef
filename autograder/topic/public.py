"""With which cell does a released notebook begin?

What stands below this docstring is that cell, to the letter, so it is written for students: the standard
library and NumPy are all that it needs. `autograder check` runs the public checks by the same text.
"""

# The public checks need this cell: run it first, and leave it as it is. Each check prints one line:
# passed, still open, or what differed and where to look. Grading asks for more than the public checks do.
import contextlib
import math
import traceback

import numpy as np


def close(actual, expected, within=1e-6):
    """Fail unless `actual` has the shape of `expected` and differs nowhere by more than `within`."""
    assert actual is not None, "got None: does your function return its result?"
    got, wanted = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    assert got.shape == wanted.shape, f"expected the shape {wanted.shape}, got {got.shape}"
    assert np.allclose(got, wanted, rtol=0, atol=within), f"expected {wanted.tolist()}, got {got.tolist()}"


def check(example, name):
    """Run a public check and print one line."""
    try:
        example()
    except Exception as error:
        trace = traceback.extract_tb(error.__traceback__)[1:]
        others = ("-packages", "lib/python", "autograder/sandbox")  # where code is that is not yours
        yours = [frame for frame in trace if not any(place in frame.filename for place in others)]
        at = [frame for frame in yours or trace if frame.name != "close"][-1]
        in_check, said = at.name == example.__name__, (str(error).splitlines() or [""])[0]
        if isinstance(error, NotImplementedError) or (in_check and isinstance(error, NameError)):
            print(f"still open: {said or at.name + ' is not written yet'}")
            return
        if not isinstance(error, AssertionError):
            said = f"{type(error).__name__}: {said}"
        place = "" if in_check else f"in {at.name}, line {at.lineno}, "
        print(f"not yet: {name}. {said or 'This does not hold'}; look {place}at: {at.line}")
    else:
        print(f"passed: {name}")


@contextlib.contextmanager
def once_written():
    """Run what needs an answer; where that is not written yet, say so in one line."""
    try:
        yield
    except (NotImplementedError, NameError) as error:
        if isinstance(error, NameError) and len(traceback.extract_tb(error.__traceback__)) > 2:
            raise  # a name that is missing in your own function, not here
        print(f"still open: {error}")
