"""What every measurement shares: running the command line against a clock, and the rows that come of it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graders.sandbox.fork import ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "benchmarks" / "home"
LAYERS = HOME / "reference" / "layers" / "solution.py"
PIXELCNN = ROOT / "reference" / "pixelcnn" / "solution.py"


@dataclass(frozen=True)
class Plan:
    """How much is measured: sizes of classes and numbers of runs, and a folder for all that is written."""

    folder: Path
    quick: bool

    def of(self, full: int, quick: int) -> int:
        """Return a size or number for this plan."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Row:
    """One line of the result. `ratio` is against what `against` says; `goal` is how large or small it is to be."""

    part: str
    what: str
    unit: str
    values: tuple[float, ...]
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    reached: bool | None = None

    @property
    def median(self) -> float:
        """The median of the runs."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest of the runs."""
        return min(self.values), max(self.values)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "median": self.median, "spread": self.spread, "runs": len(self.values)}


def compared(row: Row, against: str, ratio: float, goal: str, reached: bool) -> Row:
    """Return a row with what it is measured against."""
    return Row(row.part, row.what, row.unit, row.values, against, ratio, goal, reached)


def command(name: str) -> str:
    """Return the path of a program beside this interpreter."""
    return str(Path(sys.executable).with_name(name))


def environment(home: Path | None = None) -> dict[str, str]:
    """Return the environment of a command, with the home of a course where one is named."""
    named = {name: value for name, value in os.environ.items() if name != "GRADERS_HOME"}
    return named if home is None else {**named, "GRADERS_HOME": str(home)}


def seconds(arguments: Sequence[str], **more: Any) -> float:
    """Return how long a command took; raises RuntimeError with its last words when it failed."""
    started = time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **more)
    took = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: status {done.returncode}: {(done.stderr or done.stdout)[-800:]}")
    return took


def grade(slug: str, source: Path, out: Path, *options: str) -> float:
    """Return how long `graders grade` took; raises RuntimeError unless everybody has full marks."""
    home = HOME if slug == "layers" else None
    took = seconds([command("graders"), "grade", slug, str(source), "-o", str(out), *options], env=environment(home))
    full_marks(out)
    return took


def full_marks(out: Path) -> None:
    """Raise RuntimeError unless every judged item of every student passed: the code was right."""
    for path in sorted((out / "students").glob("*/result.json")):
        judged = [item for item in json.loads(path.read_text())["items"] if item["verdict"] != "MANUAL"]
        wrong = [item["id"] for item in judged if item["verdict"] != "PASS"]
        if wrong or not judged:
            raise RuntimeError(
                f"{path.parent.name}: {', '.join(wrong) or 'nothing'} did not pass; nothing was measured"
            )


def in_plain_process(module: str, *arguments: str) -> list[float]:
    """Return the numbers that a module of ours prints, run in a process with the environment of a zygote."""
    own = {**ENVIRONMENT, "HOME": os.environ.get("HOME", "/"), "GRADERS_HOME": str(HOME), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False, env=own, cwd=ROOT
    )
    if done.returncode:
        raise RuntimeError(f"{module}: {done.stderr[-800:]}")
    return [float(number) for number in json.loads(done.stdout.splitlines()[-1])]


def repeated(times: int, measure: Callable[[int], float]) -> tuple[float, ...]:
    """Return the results of a measurement, called with the number of the run."""
    return tuple(measure(number) for number in range(times))
