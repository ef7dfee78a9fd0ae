"""What a run depends on besides the students' code, told without importing a framework."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from graders.model import Item, Json

# What there is to compute with, and the distributions that it may come in.
PACKAGES = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "keras": ("keras",),
    "torch": ("torch",),
    "numpy": ("numpy",),
    "pillow": ("pillow",),
    "opencv": ("opencv-python-headless", "opencv-python"),
    "scikit-learn": ("scikit-learn",),
    "safetensors": ("safetensors",),
    "ipython": ("ipython",),
}
_ELSEWHERE = {"tensorflow": ("torch",), "torch": ("tensorflow", "keras")}  # not what this framework computes with


def versions(framework: str) -> dict[str, str]:
    """Return the versions of Python, of this package and of what a framework's assignments compute with."""
    found = {name: installed(name) for name in PACKAGES if name not in _ELSEWHERE[framework]}
    return {
        "graders": _version("graders") or "unknown",
        "python": platform.python_version(),
        **{name: number for name, number in found.items() if number},
    }


def installed(name: str) -> str:
    """Return the version of one of `PACKAGES`, "" where it is not installed."""
    return next(filter(None, map(_version, PACKAGES[name])), "")


@cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


@cache
def package_digest() -> str:
    """Return a hash of all files of this package: a report that another version made is made anew."""
    package = Path(__file__).resolve().parent.parent
    files = sorted(path for path in package.rglob("*") if path.suffix in (".py", ".j2", ".css", ".js"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def hashed(*parts: bytes) -> str:
    """Return one hash of several byte strings, each kept apart from the next."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def run_document(slug: str, items: Sequence[Item], due: str, provenance: Json, surroundings: Json) -> Json:
    """Return all that the reports of a run depend on besides what was handed in, as JSON values."""
    return {
        "assignment": slug,
        "items": [item.id for item in items],
        "tiers": sorted({tier.value for item in items for tier in item.tiers}),
        "due": due,
        "provenance": provenance,
        "surroundings": surroundings,
    }


def report_key(run: Json, handed_in: str) -> str:
    """Return the key of a report: equal keys, equal reports. `handed_in` is a hash of the submission."""
    return hashed(json.dumps(run, sort_keys=True).encode(), handed_in.encode(), package_digest().encode())
