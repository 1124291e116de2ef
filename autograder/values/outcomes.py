"""How can a check end, and what does each end mean for the points?"""

from enum import StrEnum


class Outcome(StrEnum):
    """How one check ended: exactly one of these."""

    PASSED = "passed"
    WRONG_VALUE = "wrong_value"
    WRONG_SHAPE = "wrong_shape"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    BROKEN_PROPERTY = "broken_property"
    WRONG_DISTRIBUTION = "wrong_distribution"
    OFF_TRAJECTORY = "off_trajectory"
    BELOW_BAR = "below_bar"
    OVER_COST = "over_cost"
    CARRIED = "carried"
    MISSING = "missing"
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    FORBIDDEN = "forbidden"
    NOT_GRADED = "not_graded"


class State(StrEnum):
    """How one submission ended."""

    GRADED = "graded"
    UNREADABLE = "unreadable"
    NOT_GRADED = "not_graded"


# The only outcomes that may carry points; every other one is worth nothing.
EARNING = frozenset({Outcome.PASSED, Outcome.CARRIED, Outcome.BELOW_BAR})
