"""What the numbers were measured on: no name of a host, no path."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PEERS = Path(os.environ.get("BENCH_PEERS", Path(__file__).resolve().parent.parent / ".venv-bench"))  # one each
_PACKAGES = ("graders", "numpy", "tensorflow-cpu", "tensorflow", "keras", "torch", "nbclient", "ipykernel")
_PEERS = ("otter_grader", "nbgrader")


def described() -> dict[str, Any]:
    """Return the machine and the versions as JSON values; the load tells whether others were at work as well."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
        "versions": {**_own(), **_of_peers()},
    }


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _own() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _of_peers() -> dict[str, str]:
    folders = PEERS.glob("*/lib/python*/site-packages/*.dist-info")
    names = [folder.name.removesuffix(".dist-info").partition("-") for folder in folders]
    return {name: number for name, _, number in names if name in _PEERS}
