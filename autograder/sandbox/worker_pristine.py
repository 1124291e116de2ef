"""What were NumPy, torch and the builtins before a notebook ran?

Tests that somebody else wrote use them beside the student's code, which may have changed them.
"""

import sys
import types
from dataclasses import dataclass
from typing import Any

# Whose modules are put back before a test: what tests compare by, and what they are written in.
_TRUSTED = "builtins math cmath random statistics functools itertools operator inspect doctest unittest".split()
_TORCH = """
torch torch.functional torch.nn torch.nn.functional torch.linalg torch.testing torch.testing._comparison torch.autograd
torch._tensor
""".split()
_CLASSES = ("unittest.case.TestCase", "torch.Tensor", "torch.nn.Module")
_pristine: "Pristine | None" = None  # of the one warm process, taken before any student code runs


@dataclass(frozen=True)
class Pristine:
    """Modules and classes as they were: their names, and of functions the code behind them."""

    modules: dict[str, types.ModuleType]
    spaces: dict[str, dict[str, Any]]
    classes: list[tuple[type, dict[str, Any]]]
    code: list[tuple[types.FunctionType, types.CodeType, Any, Any]]

    def restore(self) -> None:
        """Put back whatever is another; what was added stays."""
        for name, module in self.modules.items():
            sys.modules[name] = module
            space = vars(module)
            for key, value in self.spaces[name].items():
                if space.get(key, self) is not value:
                    space[key] = value
        for kind, space in self.classes:
            now = vars(kind)
            for key, value in space.items():
                if now.get(key, self) is not value:
                    setattr(kind, key, value)
            for key in [key for key in now if key not in space]:
                delattr(kind, key)  # what was added to a class could stand before what it inherits
        for function, code, defaults, keywords in self.code:
            if function.__code__ is not code:
                function.__code__ = code
            if function.__defaults__ is not defaults:
                function.__defaults__ = defaults
            if function.__kwdefaults__ is not keywords:
                function.__kwdefaults__ = keywords

    def named(self, path: str) -> Any:
        """What `numpy.testing.assert_allclose` was; LookupError for what was not kept."""
        if path in self.modules:
            return self.modules[path]
        module, _, name = path.rpartition(".")
        return self.spaces[module][name]


def remember() -> None:
    """Keep what tests will rely on, in the warm process."""
    global _pristine
    names = [name for name in sys.modules if name in _TRUSTED or name in _TORCH or name.startswith("unittest.")]
    names += [name for name in sys.modules if name == "numpy" or name.startswith("numpy.")]
    modules = {name: sys.modules[name] for name in names if isinstance(sys.modules[name], types.ModuleType)}
    spaces = {name: dict(vars(module)) for name, module in modules.items()}
    kinds = [kind for kind in map(_found, _CLASSES) if isinstance(kind, type)]
    code = {}
    for name, space in spaces.items():
        if name.startswith(("numpy", "unittest", "torch")):
            for value in space.values():
                for function in (value, vars(type(value)).get("__wrapped__"), getattr(value, "_implementation", None)):
                    if isinstance(function, types.FunctionType):
                        code[id(function)] = function
    kept = [(each, each.__code__, each.__defaults__, each.__kwdefaults__) for each in code.values()]
    _pristine = Pristine(modules, spaces, [(kind, dict(vars(kind))) for kind in kinds], kept)


def kept() -> Pristine | None:
    """What was remembered; None in a process where nothing was."""
    return _pristine


def _found(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return vars(sys.modules[module]).get(name) if module in sys.modules else None
