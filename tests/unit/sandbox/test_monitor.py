"""When the meter of a child says that it is over a limit; real children are in test_fork."""

from __future__ import annotations

import pytest

from graders.sandbox import monitor, usage
from graders.sandbox.limits import Limits

LIMITS = Limits(cpu_seconds=10, wall_seconds=30)


@pytest.mark.parametrize(
    ("elapsed", "starved", "cpu", "over"),
    [
        (29, 0, 1, ""),
        (31, 0, 1, "timeout"),
        (31, 2, 1, ""),  # it would have ended had it been given a processor
        (91, 89, 1, "timeout"),  # but not for ever
        (5, 0, 10.5, ""),  # a single process meets its own limit
        (5, 0, 11.5, "timeout"),
    ],
)
def test_the_clock_and_the_computing_time(
    monkeypatch: pytest.MonkeyPatch, elapsed: float, starved: float, cpu: float, over: str
) -> None:
    meter = monitor._Meter(1, LIMITS, "")
    monkeypatch.setattr(monitor.time, "monotonic", lambda: meter._started + elapsed)
    monkeypatch.setattr(usage, "tree", lambda process: [process])
    monkeypatch.setattr(usage, "starved_seconds", lambda process: starved)
    monkeypatch.setattr(usage, "cpu_seconds", lambda processes: cpu)
    monkeypatch.setattr(usage, "over_memory", lambda processes, limit: False)
    assert meter.over() == over


@pytest.mark.parametrize(
    ("memory", "disk", "scratch", "over"),
    [
        (True, False, "", "memory"),
        (False, True, "/x", "disk"),
        (False, True, "", ""),
        (False, False, "/x", ""),
    ],
)
def test_memory_and_disk(monkeypatch: pytest.MonkeyPatch, memory: bool, disk: bool, scratch: str, over: str) -> None:
    monkeypatch.setattr(usage, "over_memory", lambda processes, limit: memory and limit == LIMITS.memory_mb)
    monkeypatch.setattr(usage, "over_disk", lambda folder, processes, limit, most: disk and folder == scratch)
    monkeypatch.setattr(usage, "tree", lambda process: [])
    assert monitor._Meter(1, LIMITS, scratch).over() == over


def test_threads_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "tree", lambda process: [process])
    monkeypatch.setattr(usage, "cpu_seconds", lambda processes: 0.0)
    monkeypatch.setattr(usage, "over_memory", lambda processes, limit: False)
    meter, over = monitor._Meter(1, LIMITS, ""), []
    for number in (LIMITS.processes + 1, 2 * LIMITS.processes):
        monkeypatch.setattr(usage, "tasks", lambda processes, number=number: number)
        over.append(meter.over())
    assert over == ["", "processes"]


def test_computing_time_that_was_seen_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([4.0, 1.0])
    monkeypatch.setattr(usage, "cpu_seconds", lambda processes: next(seen))
    monkeypatch.setattr(usage, "tree", lambda process: [])
    meter = monitor._Meter(1, LIMITS, "")
    assert [meter.over(), meter.over(), meter.cpu_seconds] == ["", "", 4.0]
