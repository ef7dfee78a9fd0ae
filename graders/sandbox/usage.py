"""What a child and all that it started use, read from /proc by its monitor: no limit of a single process adds it up."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGES_PER_MB = (1 << 20) / os.sysconf("SC_PAGE_SIZE")


def tree(process: int) -> list[int]:
    """Return a process and all its descendants, as far as they are still there."""
    found, todo = [], [process]
    while todo:
        found.append(todo.pop())
        todo += _children(found[-1])
    return found


def _children(process: int) -> Iterator[int]:
    for task in _listed(f"/proc/{process}/task"):
        yield from map(int, _text(f"/proc/{process}/task/{task}/children").split())


def tasks(processes: Iterable[int]) -> int:
    """Return how many threads processes have together."""
    return sum(len(_listed(f"/proc/{process}/task")) for process in processes)


def tasks_of_user() -> int:
    """Return how many threads the user of this process has on the machine."""
    mine = []
    for name in filter(str.isdigit, _listed("/proc")):
        with contextlib.suppress(OSError):  # it has ended in the meantime
            if os.stat(f"/proc/{name}").st_uid == os.getuid():
                mine.append(int(name))
    return tasks(mine)


def cpu_seconds(processes: Iterable[int]) -> float:
    """Return the computing time of processes and of the children that they have waited for, in seconds."""
    ticks = 0
    for process in processes:
        fields = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def starved_seconds(process: int) -> float:
    """Return how long a process could have run but had no processor: the most that any of its threads waited."""
    waits = (_text(f"/proc/{process}/task/{task}/schedstat").split() for task in _listed(f"/proc/{process}/task"))
    return max((int(wait[1]) for wait in waits if len(wait) == 3), default=0) / 1e9


def stopped(processes: Iterable[int]) -> bool:
    """Return whether none of some processes can run: each is stopped or has ended."""
    states = (_text(f"/proc/{process}/stat").rpartition(")")[2].split()[:1] for process in processes)
    return all(state in ([], ["T"], ["t"], ["Z"], ["X"]) for state in states)


def over_memory(processes: Sequence[int], limit_mb: float) -> bool:
    """Return whether processes together hold more memory than a limit; pages that they share are counted once."""
    # To share pages out costs milliseconds, and cannot come to more than to count them for each process.
    return sum(map(_resident_mb, processes)) > limit_mb and sum(map(_proportional_mb, processes)) > limit_mb


def _resident_mb(process: int) -> float:
    fields = _text(f"/proc/{process}/statm").split()
    return int(fields[1]) / _PAGES_PER_MB if fields else 0.0


def _proportional_mb(process: int) -> float:
    lines = _text(f"/proc/{process}/smaps_rollup").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def over_disk(folder: str, processes: Iterable[int], limit_mb: float, most_files: int) -> bool:
    """Return whether a folder and the files that were removed while open hold more than a limit, or too many files."""
    sizes = [one.st_blocks * 512 for one in (*_below(folder, most_files + 1), *_removed(processes))]
    return len(sizes) > most_files or sum(sizes) > limit_mb * (1 << 20)


def _below(folder: str, most: int) -> list[os.stat_result]:
    found: list[os.stat_result] = []
    todo = [folder]
    while todo and len(found) < most:
        above = todo.pop()
        for name in _listed(above):
            try:
                status = os.lstat(f"{above}/{name}")
            except OSError:
                continue
            found.append(status)
            if stat.S_ISDIR(status.st_mode):
                todo.append(f"{above}/{name}")
    return found


def _removed(processes: Iterable[int]) -> list[os.stat_result]:
    found: dict[tuple[int, int], os.stat_result] = {}
    for process in processes:
        for name in _listed(f"/proc/{process}/fd"):
            try:
                status = os.stat(f"/proc/{process}/fd/{name}")
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                found[status.st_dev, status.st_ino] = status
    return list(found.values())


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # it has ended, or removed the folder, in the meantime
        return []


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
