"""What do the tests of the contract share? Topics that keep all of it but what a test has them break."""

import numpy as np

from autograder.suite.contract import broken_contract
from autograder.suite.draw import draw_cases
from autograder.topic import case, topic

SEED = np.random.SeedSequence(12)


def sentences(declared):
    return broken_contract(declared, draw_cases(declared, SEED))


def with_cases(declared, draw=None, *cases):
    """The topic with what every topic has: cases, here of x alone, and something wrong."""

    @declared.cases
    def _(rng):
        for name, size in (("ordinary", 5), ("longer", 9), ("short", 3)):
            yield case(name, **(draw(rng, size) if draw else {"x": rng.normal(size=size)}))
        yield from cases

    if declared.kind != "layer":
        declared.wrong("nothing", hint="-")(lambda *_: None)
    return declared


def function(definition, *cases, returns=("y",), **declared):
    return with_cases(topic(lecture="tests", returns=returns, **declared)(definition), None, *cases)
