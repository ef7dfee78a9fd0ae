"""(c) Seconds and peak memory by the size of the class. The torch class is used: it is cheap, and no code is equal."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from benchmarks import classes
from benchmarks.measure import HOME, LAYERS, Plan, Row, command, compared, environment, full_marks

_INTERVAL = 0.1  # between two looks at the memory
_LINEAR, _FLAT = 1.3, 1.3  # how far time and memory may grow beyond what they should


def measure(plan: Plan) -> list[Row]:
    """Return the rows of (c)."""
    sizes = [plan.of(10, 5), plan.of(100, 20), plan.of(500, 60)]
    found = {size: _graded(plan, size) for size in sizes}
    small, middle, large = sizes
    each = (found[middle][0] - found[small][0]) / (middle - small)
    straight = found[large][0] / (found[middle][0] + each * (large - middle))
    flat = found[large][1] / found[middle][1]
    times = [Row("c", f"class of {size}", "s", (found[size][0],)) for size in sizes]
    peaks = [Row("c", f"class of {size}, peak PSS of all processes", "MB", (found[size][1],)) for size in sizes]
    times[-1] = compared(times[-1], "a straight line", straight, f"at most {_LINEAR}", straight <= _LINEAR)
    peaks[-1] = compared(peaks[-1], f"class of {middle}", flat, f"at most {_FLAT}", flat <= _FLAT)
    return [*times, *peaks]


def _graded(plan: Plan, size: int) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of grading a class of that size."""
    folder = plan.folder / f"scale{size}"
    classes.write_class(folder / "class", LAYERS.read_text(), size)
    arguments = [command("graders"), "grade", "layers", str(folder / "class"), "-o", str(folder / "out")]
    started = time.perf_counter()
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(arguments, env=environment(HOME), stdout=said, stderr=subprocess.STDOUT)
        with PeakMemory(process.pid) as memory:
            status = process.wait()
    took = time.perf_counter() - started
    if status:
        raise RuntimeError(f"graders grade: status {status}: {(folder / 'said').read_text()[-800:]}")
    full_marks(folder / "out")
    return took, memory.peak_mb


class PeakMemory:
    """Looks at the PSS of a process and all its descendants until it is left; `peak_mb` is the largest sum."""

    def __init__(self, root: int) -> None:
        self.root, self.peak_mb = root, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(_INTERVAL):
            self.peak_mb = max(self.peak_mb, sum(map(pss_mb, family(self.root))))

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def family(root: int) -> list[int]:
    """Return a process and its descendants."""
    parents = {int(entry): _parent(int(entry)) for entry in os.listdir("/proc") if entry.isdecimal()}
    found = [root]
    for process in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == process]
    return found


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def pss_mb(process: int) -> float:
    """Return the proportional set size of a process in MB, 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
