"""What stands for a module that this environment does not have?

Importing it is no crime, so that the rest of a cell still runs and annotations still read; using it is
`forbidden`.
"""

from typing import Any

from autograder.sandbox.worker_answer import Forbidden

_USES = """
call await iter next contains getitem setitem delitem len bool int float index
add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv rfloordiv mod rmod pow rpow
matmul rmatmul imatmul neg pos abs invert and rand xor rxor lshift rlshift rshift rrshift
lt le gt ge enter exit array
""".split()


class StandIn:
    """Something of an absent module. Its attributes are stand-ins too; any use raises Forbidden.

    It may be named in annotations (`x: torch.Tensor | None`), and nothing is an instance of it.
    """

    _name: str

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> "StandIn":
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        return StandIn(f"{self._name}.{attribute}")

    def __setattr__(self, attribute: str, value: Any) -> None:
        raise forbidden(self._name)

    def __or__(self, other: Any) -> "StandIn":
        return self

    __ror__ = __or__

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __subclasscheck__(self, subclass: Any) -> bool:
        return False

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise forbidden(self._name)

    def __repr__(self) -> str:
        return f"<{self._name} is not available for this question>"


def forbidden(name: str) -> Forbidden:
    """The error that using the absent `name` raises."""
    return Forbidden(f"{name} is not available for this question", name=name)


def _use(method: str) -> Any:
    def use(self: StandIn, *arguments: Any, **keywords: Any) -> Any:
        raise forbidden(self._name)

    use.__name__ = method
    return use


for _method in _USES:
    setattr(StandIn, f"__{_method}__", _use(f"__{_method}__"))
