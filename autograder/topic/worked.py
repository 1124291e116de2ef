"""What is a worked example, which students can run in their own notebook?

Plain code that calls what the student defines and looks at the result. Its body is put into the
notebook as it stands, so it may use the topic's own names, `np`, `math` and `close`, nothing else.
"""

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.topic.public import close


@dataclass(frozen=True)
class Worked:
    """A worked example. lecture: deck and slide title where its numbers stand."""

    name: str
    lecture: str
    check: Callable[[], None]

    def run(self, names: Mapping[str, Any]) -> None:
        """Run it on an implementation; raises what a student would see."""
        known = {"np": np, "math": math, "close": close, "__builtins__": __builtins__, **names}
        types.FunctionType(self.check.__code__, known)()
