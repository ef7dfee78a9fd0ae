"""What the stages of `benchmarks.gpu` share: what was asked for, data, other programs, and figures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, mosaics
from graders.data import cifar10
from graders.errors import UsageError
from graders.home import home

DONE, FAILED, WRONG_CALL, AGAIN = 0, 1, 2, 75
ROOT = Path(__file__).resolve().parent.parent
# Modules beyond the standard library that stages import, and the packages that they come in.
TRAINING = {"torch": "torch", "numpy": "numpy", "matplotlib": "matplotlib"}
GRADING = {
    "graders.errors": "graders",
    "IPython": "ipython",
    "jinja2": "jinja2",
    "jupytext": "jupytext",
    "matplotlib": "matplotlib",
    "nbformat": "nbformat",
    "numpy": "numpy",
    "PIL": "pillow",
    "pydantic": "pydantic",
    "pyseccomp": "pyseccomp",
    "yaml": "pyyaml",
    "rich": "rich",
    "safetensors": "safetensors",
    "typer": "typer",
}


@dataclass(frozen=True)
class Call:
    """What was asked for on the command line, and until when it may take."""

    data: Path | None
    out: Path
    work: Path
    seconds: float
    until: float
    epochs: int | None = None
    cpu: bool = False
    only: tuple[str, ...] = ()
    weights: bool = False

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(1.0, self.until - time.monotonic())

    def given(self) -> Path:
        """Return what --data named; raises UsageError where it named nothing."""
        if self.data is None:
            raise UsageError("--data is needed; `graders data fetch cifar10 -o FOLDER` gets it")
        return self.data


def need(stage: str, modules: Mapping[str, str]) -> None:
    """Raise UsageError in one line that says which packages a stage lacks."""
    where = _places_of_children() if "graders.errors" in modules else sys.path
    if lacking := [package for name, package in modules.items() if not _found(name, where)]:
        mend = "make gpu installs them; where there is no index, docs/gpu-runner.md says how they are brought along"
        raise UsageError(f"{stage}: {sys.executable} lacks {' '.join(lacking)}; {mend}")


def _places_of_children() -> list[str]:
    """Return where the processes that grade look for modules: they know neither PYTHONPATH nor this folder."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
    told = subprocess.run(words, capture_output=True, text=True, env=env, check=True).stdout
    return [str(path) for path in json.loads(told)]


def _found(name: str, where: list[str]) -> bool:
    """Return whether a module is there; one of a package is looked for in its folder."""
    package, _, module = name.rpartition(".")
    where = [os.path.join(path, package) for path in where] if package else where
    return PathFinder.find_spec(module, where) is not None


# Data -----------------------------------------------------------------------------------------------------------------


def images(call: Call) -> tuple[cifar10.Images, cifar10.Images]:
    """Return the data set, whichever way it came."""
    data = call.given()
    return mosaics.read(data) if mosaics.is_mosaics(data) else cifar10.read(data)


def packed(call: Call) -> Path:
    """Return the data set as one file of NumPy; in the work folder, unless it came so."""
    train, test = images(call)
    if call.given().suffix == ".npz":
        return call.given()
    written, part = call.work / cifar10.PACKED, call.work / f"part-{cifar10.PACKED}"
    np.savez(part, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    return part.replace(written)


# Other programs -------------------------------------------------------------------------------------------------------


def run(words: Iterable[Any], seconds: float, **environment: str) -> subprocess.CompletedProcess[str] | None:
    """Run a command from the root of the repository; return None where it took too long."""
    env = {**os.environ, "PYTHONPATH": _path(), "GRADERS_HOME": str(home()), **environment}
    command = list(map(str, words))
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=ROOT, env=env, check=False)
    except subprocess.TimeoutExpired:
        return None


def _path() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


def last_line(text: str) -> str:
    """Return the last line of a text that says anything."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


# Figures --------------------------------------------------------------------------------------------------------------


def write(call: Call, stage: str, figures: Mapping[str, Any], beside: Iterable[Path] = ()) -> None:
    """Write the figures of a stage with the command and the machine, copy files beside them, and renew the summary."""
    call.out.mkdir(parents=True, exist_ok=True)
    document = {"command": " ".join(["python -m benchmarks.gpu", *sys.argv[1:]]), "machine": _machine(), **figures}
    (call.out / f"{stage}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for file in beside:
        shutil.copyfile(file, call.out / f"{stage}-{file.name}")
    (call.out / "summary.md").write_text(_summary(call.out), encoding="utf-8")


def _machine() -> dict[str, Any]:
    import torch

    there = torch.cuda.is_available()
    gpu = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if there else {"gpu": None}
    return {**machine.described(), **gpu}


def _summary(folder: Path) -> str:
    """Return the plain figures of all stages as a table."""
    lines = ["| stage | figure | value |", "|---|---|---|"]
    for file in sorted(folder.glob("*.json")):
        for name, value in _plain(json.loads(file.read_text(encoding="utf-8"))):
            lines.append(f"| {file.stem} | {name} | {f'{value:.4g}' if isinstance(value, float) else value} |")
    return "\n".join(lines) + "\n"


def _plain(document: Mapping[str, Any], of: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and name not in ("machine", "curves"):
            yield from _plain(value, f"{of}{name} ")
        elif not isinstance(value, (dict, list)):
            yield f"{of}{name}", value
