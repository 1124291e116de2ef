"""How is nbformat imported in a tenth of the time?

jsonschema, by which it validates notebooks, builds a parser of international addresses (RFC 3987) as soon as the
package for that is installed, as it is with nbgrader. That takes three seconds, and no notebook's schema has one.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ADDRESSES = "rfc3987_syntax"


@contextmanager
def without_addresses() -> Iterator[None]:
    """Import within this what imports jsonschema: it takes the parser for absent, which it may be."""
    if _ADDRESSES in sys.modules:
        yield
        return
    sys.modules[_ADDRESSES] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_ADDRESSES]
