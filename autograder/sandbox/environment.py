"""Which files make up an environment, and how is its server started?"""

import importlib.metadata
import os
import re
import sys
from pathlib import Path
from typing import Any

import autograder
from autograder.sandbox.limits import Environment, SandboxError

# Runs in the server's interpreter, told by its standard input where things are: what stands on a
# command line or in the environment could be read inside the jail.
BOOT = (
    "import importlib, json, sys; settings = json.loads(sys.stdin.readline()); sys.path += settings['path']; "
    "importlib.import_module(settings['server']).main(settings)"
)
# No user folder, no current folder, no site (whose .pth files run code), no bytecode written.
INTERPRETER_OPTIONS = ("-s", "-P", "-S", "-B", "-X", "utf8")

# One thread each: a process with more cannot be forked, and OMP_NUM_THREADS alone is not obeyed by torch.
VARIABLES = {
    "OMP_THREAD_LIMIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "IPYTHONDIR": "/tmp/ipython",
    "XDG_CACHE_HOME": "/tmp/cache",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
}

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"\bextra\s*==")


def settings(environment: Environment) -> dict[str, Any]:
    """What a server of this environment is told. Raises SandboxError where a package is not installed."""
    distributions = closure(environment)
    sites = {str(distribution.locate_file("")) for distribution in distributions}
    entries = sorted({entry for distribution in distributions for entry in _entries(distribution)})
    project = Path(autograder.__file__).parent.parent
    return {
        "path": [*_installed(sites), str(project)],
        "packages": list(environment.packages),
        "entries": entries,
        "sites": sorted(sites),
        "shown": list(environment.accelerator.paths) if environment.accelerator else [],
    }


def variables(environment: Environment) -> dict[str, str]:
    """All that stands in the environment of its server's process, and of student code."""
    return VARIABLES | (environment.accelerator.variables if environment.accelerator else {})


def plain(name: str) -> str:
    """A distribution's name, however it is written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_names(environment: Environment) -> frozenset[str]:
    """The top-level modules that can be imported in an environment beside the standard library."""
    paths = (Path(entry) for distribution in closure(environment) for entry in _entries(distribution))
    return frozenset(path.name.split(".")[0] for path in paths if path.suffix not in (".dist-info", ".libs"))


def _installed(sites: set[str]) -> list[str]:
    """Folders that the server's own imports need, NumPy and safetensors among them."""
    known = [path for path in sys.path if path in sites]
    safetensors = str(importlib.metadata.distribution("safetensors").locate_file(""))
    return list(dict.fromkeys([*known, *sorted(sites), safetensors]))


def closure(environment: Environment) -> list[importlib.metadata.Distribution]:
    """The distributions of an environment and all that they require and is installed; no extras.

    Raises SandboxError where a package is not installed.
    """
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [(package, True) for package in environment.packages]
    while waiting:
        name, asked_for = waiting.pop()
        key = plain(name)
        if key in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            if not asked_for:
                continue  # required on other machines only
            raise SandboxError(
                f"environment {environment.name!r} names the package {name!r}, which is not installed: "
                f"install it, or take it out of course.toml"
            ) from error
        found[key] = distribution
        for requirement in distribution.requires or ():
            needed = _NAME.match(requirement)
            if needed and not _EXTRA.search(requirement):
                waiting.append((needed.group(), False))
    return list(found.values())


def _entries(distribution: importlib.metadata.Distribution) -> set[str]:
    """The top-level files and folders of an installed distribution."""
    record = distribution.read_text("RECORD") or ""
    tops = {line.split(",")[0].strip('"').split("/")[0] for line in record.splitlines()}
    paths = {str(distribution.locate_file(top)) for top in tops - {"", "..", "__pycache__"}}
    return {path for path in paths if not path.endswith(".pth") and os.path.exists(path)}
