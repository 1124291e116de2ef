"""How does a template become a page on disk?

Templates are compiled once, escape whatever is put into them, and refuse a name that nobody gave them.
"""

import functools
import os
from pathlib import Path

import jinja2
from markupsafe import Markup

_FOLDER = Path(__file__).parent / "templates"


def template(name: str) -> jinja2.Template:
    """One of `templates/`, such as `student.html`."""
    return _environment().get_template(name)


@functools.cache
def asset(name: str) -> str:
    """The text of a file beside the templates."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def write_page(path: Path, text: str) -> None:
    """Replace a page at once, so that nobody reads half of one."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8", errors="xmlcharrefreplace", newline="\n")
    os.replace(partial, path)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["points"] = lambda value: f"{round(float(value), 2):g}"
    environment.globals["share"] = lambda got, most: f"{100 * (got or 0.0) / most:.4g}" if most else "0"
    environment.globals["style"] = Markup(asset("style.css"))
    return environment
