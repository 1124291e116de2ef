# A grader as the peers have it: in the student's process, with the answers beside it. HOW says in which
# way it judges; CELLS are the notebook's. Run as a program, after these two are defined.
import json
import os
import pickle
import sys

import numpy as np

x = np.linspace(0.5, 2.0, 5)
expected = x * np.sin(x)
names = {"__name__": "__main__"}
if HOW == "output":  # of a process of its own, the last line counts
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.dup2(writer, 1)
        for cell in CELLS:
            exec(cell, names)
        print("failed")
        sys.exit(0)
    os.close(writer)
    os.wait()
    assert os.fdopen(reader).read().split()[-1] == "passed"
elif HOW == "status":  # so does whether a process of its own ended well
    pid = os.fork()
    if pid == 0:
        for cell in CELLS:
            exec(cell, names)
        assert np.allclose(names["wave"](x), expected)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
else:
    score = 0
    try:
        for cell in CELLS:
            exec(cell, names)
        got = names["wave"](x)
        if HOW == "allclose":
            assert np.allclose(got, expected)
        elif HOW == "testing":
            np.testing.assert_allclose(got, expected)
        elif HOW == "equal":
            assert got == expected
        elif HOW == "all":
            assert np.all(got == expected)
        elif HOW == "within":
            assert np.max(np.abs(got - expected)) < 1e-6
        elif HOW == "not wrong":  # nothing says that it is wrong
            assert not np.any(np.abs(np.asarray(got, dtype=float) - expected) > 1e-6)
        elif HOW == "pickle":  # the answer is passed on to another process
            assert np.allclose(pickle.loads(pickle.dumps(got)), expected)
        elif HOW == "json":
            assert json.dumps(got) == json.dumps(expected.tolist())
        elif HOW == "score":
            assert score
        else:
            raise SystemError(f"no such grader: {HOW}")
    except SystemExit:
        pass
print("passed")
