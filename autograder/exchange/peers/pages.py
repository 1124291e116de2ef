"""What does a student read of tests that came from another system?

Points, how each test ended, and of a failed one its visible part with what that said. Everything is
escaped by the template; there is no script on the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

_WORDS = {
    "passed": "passed",
    "partial": "partly passed",
    "failed": "not passed",
    "timed_out": "stopped: out of time",
    "crashed": "stopped: it ended the process",
    "out_of_memory": "stopped: out of memory",
    "manual": "graded by a person",
    "no_score": "to be looked at by a person",
    "not_graded": "not graded yet",
    "unreadable": "could not be read",
}
_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #bbb; padding: .5rem 0; }
h2 { font-size: 1.1rem; margin: .3rem 0; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; white-space: pre-wrap; }
.passed { color: #17602a; } .failed, .crashed, .timed_out, .out_of_memory { color: #8f1d1d; }
</style></head><body>
<h1>{{ title }}</h1>
<p>{{ student }}{% if total is not none %}: {{ total }} of {{ most }} points{{ " so far" if waiting }}{% endif %}</p>
{% for note in notes %}<p>{{ note }}</p>
{% endfor %}
{% for part in parts %}<section>
<h2>{{ part.id }} <span class="{{ part.outcome }}">{{ words[part.outcome] }}</span>, {{ part.said }}</h2>
{% if part.shown %}<pre>{{ part.shown }}</pre>
{% endif %}{% if part.code and part.outcome not in ("passed",) %}<details><summary>The test</summary>
<pre>{{ part.code }}</pre></details>
{% endif %}</section>
{% endfor %}</body></html>
"""


@dataclass(frozen=True)
class Part:
    """One graded cell. code: what a student may see of a test. whole: its points may be told."""

    id: str
    most: float
    points: float | None
    outcome: str
    shown: str = ""
    code: str = ""
    whole: bool = True

    @property
    def said(self) -> str:
        if self.points is not None:
            return f"{self.points:g} of {self.most:g}"
        return f"{self.most:g} points, not given yet" if self.whole else f"{self.most:g} points"


@cache
def _template() -> "jinja2.Template":
    import jinja2

    return jinja2.Environment(autoescape=True).from_string(_TEMPLATE)


def page(
    title: str,
    student: str,
    parts: Sequence[Part],
    notes: Sequence[str] = (),
    *,
    total: tuple[float | None, float] | None = None,
) -> str:
    """One HTML page that stands alone. total: points and most points, where they are not the parts' sum."""
    given = [part.points for part in parts if part.points is not None]
    points, most = total or (sum(given) if given else None, sum(part.most for part in parts))
    return _template().render(
        title=title,
        student=student,
        parts=parts,
        notes=notes,
        words=_WORDS,
        total=None if points is None else f"{points:g}",
        most=f"{most:g}",
        waiting=total is None and len(given) < len(parts),
    )
