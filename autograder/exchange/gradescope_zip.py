"""What does Gradescope need to grade by a compiled suite, in its own container?

One zip: `setup.sh`, which Gradescope runs once to make the image, `run_autograder`, which it runs for each
submission, this package, and of the course what one assignment takes: references, suite and key. Whoever has
the zip has the answers.
"""

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from autograder.course.adopted import FOLDER
from autograder.course.errors import CourseError
from autograder.course.key import load_key
from autograder.course.load import ASSIGNMENT_FILE, COURSE_FILE, Assignment, Course
from autograder.sandbox.environment import closure, plain
from autograder.sandbox.limits import Environment
from autograder.suite.compile import load_suite, suite_folder

ROOT = Path("/autograder")
OURS = "gradient-autograder"
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
PIP_OPTIONS = "--extra-index-url https://download.pytorch.org/whl/cpu"  # where PyTorch's builds without CUDA are
_LEFT_OUT = frozenset({"__pycache__", ".ipynb_checkpoints"})
_TIME = (1980, 1, 1, 0, 0, 0)  # the same course, the same zip

_SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, as root, when it makes the image. Where it fails, so does the build, and says why.
set -euo pipefail
umask 022
cd {root}/source

python=
for name in python3.14 python3.13 python3.12 python3.11 python3; do
    if command -v "$name" > /dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed: choose a newer base image, such as Ubuntu 24.04" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip' 2> /dev/null || ! ldconfig -p | grep -q 'libseccomp\\.so\\.2'; then
    apt-get update
    apt-get install -y --no-install-recommends "$python-venv" libseccomp2
fi
"$python" -m venv {venv}
{venv}/bin/python -m pip install --no-cache-dir --disable-pip-version-check {pip_options} -r requirements.txt
PYTHONPATH={root}/source {venv}/bin/python -P -B -X utf8 -m autograder gradescope setup {assignment}
"""
_RUN = """#!/usr/bin/env bash
# Gradescope runs this, as root, for each submission. It leaves results.json, and no score where there is none.
umask 022
PYTHONPATH={root}/source exec {venv}/bin/python -P -B -X utf8 \\
    -m autograder gradescope run {assignment} --visibility {visibility}
"""


@dataclass(frozen=True)
class Packed:
    """An autograder zip. files: how many it holds. requirements: what it installs, a line each."""

    contents: bytes
    files: int
    requirements: tuple[str, ...]


def pack(
    course: Course, assignment: Assignment, *, visibility: str = "visible", pip_options: str = PIP_OPTIONS
) -> Packed:
    """The zip of one assignment. Raises CourseError where its suite is not compiled, or its key lies elsewhere."""
    load_suite(course, assignment)
    requirements = _requirements(course, assignment)
    words = {
        "root": str(ROOT),
        "venv": "/opt/autograder",
        "assignment": assignment.id,
        "visibility": visibility,
        "pip_options": pip_options,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", _SETUP.format(**words).encode(), 0o755)
        _add(archive, "run_autograder", _RUN.format(**words).encode(), 0o755)
        _add(archive, "requirements.txt", "".join(f"{line}\n" for line in requirements).encode())
        package = Path(str(files("autograder")))
        for path in _below(package):
            _add(archive, f"autograder/{path.relative_to(package).as_posix()}", path.read_bytes())
        for path in _of_course(course, assignment):
            _add(archive, f"course/{path.relative_to(course.dir).as_posix()}", path.read_bytes(), 0o600)
        count = len(archive.namelist())
    return Packed(buffer.getvalue(), count, requirements)


def _requirements(course: Course, assignment: Assignment) -> tuple[str, ...]:
    """Every distribution that grading takes, in the version that is installed here: suites are compiled with it."""
    names = sorted({question.environment for question in assignment.questions})
    packages = {package for name in names for package in course.environments[name]}
    found = closure(Environment(assignment.id, (OURS, *sorted(packages))))
    pins = {plain(each.metadata["Name"]): each.version for each in found}
    return tuple(f"{name}=={version}" for name, version in sorted(pins.items()) if name != plain(OURS))


def _of_course(course: Course, assignment: Assignment) -> Iterator[Path]:
    load_key(course)
    if not course.key_file.resolve().is_relative_to(course.dir.resolve()):
        raise CourseError(
            f"the key {course.key_file} lies outside the course, and the zip can hold files of the course alone: "
            f"put it below {course.dir}, and name it in {COURSE_FILE}"
        )
    yield course.dir / COURSE_FILE
    yield course.key_file
    yield from _below(course.dir / "reference")
    yield from _below(course.dir / FOLDER)
    for path in _below(assignment.dir):
        if path.name == ASSIGNMENT_FILE or path.suffix != ".ipynb":
            yield path
    yield from _below(suite_folder(course, assignment.id))


def _below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, sorted; what Python and Jupyter leave there is none."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _LEFT_OUT & set(path.relative_to(folder).parts):
            yield path


def _add(archive: zipfile.ZipFile, name: str, contents: bytes, mode: int = 0o644) -> None:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.external_attr = (stat.S_IFREG | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, contents)
