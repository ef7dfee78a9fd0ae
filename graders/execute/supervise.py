"""Runs one notebook: a kernel and a conductor as two confined children, held to their time from here.

The trusted side parses no message of the kernel's. It opens the two sockets between the children, hands each its end,
passes the conductor's wish to interrupt on to the kernel's monitor, and validates what comes back.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from graders.errors import Fault, Stopped, UsageError
from graders.execute import record
from graders.execute.layout import WORK
from graders.execute.stage import FINISH, Executed, Stage, recorder_seed
from graders.model import Evidence, Experiment
from graders.probes import wire
from graders.sandbox.fork import Ended, Reins
from graders.sandbox.limits import Equipment, Limits, given_at
from graders.sandbox.nursery import Nursery

# What a nursery for notebooks imports besides a framework.
MODULES = ("graders.execute.conduct", "graders.execute.kernel")
SOCKETS = "graders-sockets-"  # the folder of a run's sockets, with this process's number
_CHANNELS = 2
_START_SECONDS = 20.0  # for two forks and a connection on a busy machine
_FINISH_SECONDS = 3.0  # for the recorder, at the end
_SPARE_SECONDS = 3.0  # over the notebook's time, for the conductor's own report
_LONGEST = 3.0  # times the seconds that a nursery is for; a stage's own time is kept from here
_MOST_NOTES = 300
_MOST_BYTES = 60 << 20  # of the files of a stage
_OWN = frozenset({"bin", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "scratch", "sys", "tmp", "usr"})


def run_limits(
    total_seconds: float, memory_mb: int = 4096, scratch_mb: int = 256, scratch_files: int = 10_000
) -> Limits:
    """Return limits of a nursery that fit runs of so many seconds."""
    seconds = int(total_seconds + _START_SECONDS + _FINISH_SECONDS + _SPARE_SECONDS)
    return Limits(
        cpu_seconds=seconds,
        wall_seconds=_LONGEST * seconds,
        memory_mb=memory_mb,
        scratch_mb=scratch_mb,
        scratch_files=scratch_files,
        frame_bytes=64 << 20,
        frames=3000,
    )


def run(nursery: Nursery, notebook: Mapping[str, Any], stage: Stage) -> Executed:
    """Run a notebook of nbformat 4, top to bottom; return it with outputs, and what was seen.

    The nursery must import MODULES and the framework; its limits hold for the whole run. Faults of ours are in the
    evidence. Raises Stopped when the nursery was closed meanwhile, and UsageError when the files are too large.
    """
    if (size := sum(map(len, stage.files.values()))) > _MOST_BYTES:
        raise UsageError(
            f"the stage of {stage.slug} holds {size >> 20} MiB, more than {_MOST_BYTES >> 20}: use less data"
        )
    session = _Session(nursery, notebook, stage)
    with _sockets() as (listening, connecting), _pipe() as (life_read, life_write):
        session.play(listening, (*connecting, life_read), life_write)
    return session.executed()


class _Session:
    """One run: what both children sent so far, and how they ended."""

    def __init__(self, nursery: Nursery, notebook: Mapping[str, Any], stage: Stage) -> None:
        self.nursery, self.stage = nursery, stage
        self.notebook = record.blank(notebook, stage)
        self.cells = record.runnable(self.notebook)
        self.key = secrets.token_hex(32)
        self.ran: dict[int, Mapping[str, Any]] = {}
        self.experiments: dict[str, Experiment] = {}
        self.notes: list[str] = []
        self.ready = False
        self.failed = ""
        self.kernel, self.conductor = Reins(), Reins()
        self.ended: Ended | None = None
        self.broken = ""
        self.fault: Exception | None = None
        self.why = record.TIME_UP
        self.late = False
        self.seconds = 0.0

    def play(self, listening: Sequence[int], connecting: Sequence[int], life: int) -> None:
        """Run both children to their end; `life` is closed with the kernel."""
        started = time.monotonic()
        kernel = threading.Thread(target=self._be_kernel, args=(listening, life), name="kernel")
        watchdog = threading.Timer(self.stage.total_seconds + _START_SECONDS, self._be_late)
        kernel.start()
        watchdog.start()
        try:
            self._conduct(connecting)
            self.kernel.signal(FINISH)
            kernel.join(_FINISH_SECONDS)
        finally:
            watchdog.cancel()
            self.kernel.end()
            kernel.join()
        self.seconds = round(time.monotonic() - started, 3)

    def _be_late(self) -> None:
        self.late = True
        self.conductor.end()
        self.kernel.end()

    def _be_kernel(self, listening: Sequence[int], life: int) -> None:
        order, blob = self._kernel_order()
        given = tuple(self.stage.given.values())
        equipment = Equipment(tuple(listening), tuple(order["folders"]), given)
        try:
            self.ended, self.broken = self.nursery.run(order, blob, self._kernel_said, equipment, self.kernel)
        except (Fault, Stopped) as error:
            self.fault = self.fault or error
        finally:
            os.close(life)

    def _conduct(self, connecting: Sequence[int]) -> None:
        order = {
            "serve": "graders.execute.conduct",
            "key": self.key,
            "cells": self.cells,
            "cell_seconds": self.stage.cell_seconds,
            "total_seconds": self.stage.total_seconds,
        }
        equipment = Equipment(descriptors=tuple(connecting), unix_sockets=True)
        blob = json.dumps(self.notebook).encode()
        try:
            ended, broken = self.nursery.run(order, blob, self._conductor_said, equipment, self.conductor)
        except (Fault, Stopped) as error:
            self.fault = self.fault or error
            return
        if broken and not self.late:
            self.why = f"the run's supervisor ended early ({ended.reason}, {broken})"

    def _kernel_order(self) -> tuple[dict[str, Any], bytes]:
        stage = self.stage
        places = given_at(self.nursery.level, list(stage.given.values()))
        order = {
            "serve": "graders.execute.kernel",
            "key": self.key,
            "cells": self.cells,
            "recorder": stage.recorder,
            "shrink": dict(stage.shrink) if stage.shrink is not None else None,
            "seed": recorder_seed(stage),
            "files": {name: len(content) for name, content in stage.files.items()},
            "given": dict(zip(stage.given, places, strict=True)),
            "links": dict(stage.links),
            "folders": folders(stage.links),
            "frames": self.nursery.limits.frames,
            "frame_bytes": self.nursery.limits.frame_bytes,
        }
        return order, b"".join(stage.files.values())

    def _kernel_said(self, header: Mapping[str, Any], blob: bytes) -> None:
        if header.get("ready") is True:
            self.ready = True
        elif isinstance(header.get("failed"), str) and not self.ready:  # nothing of the student's has run yet
            self.failed = record.one_line(header["failed"])
        elif isinstance(note := header.get("note"), str):
            if len(self.notes) < _MOST_NOTES:
                self.notes.append(record.one_line(note))
        else:
            name, experiment = wire.unpack(header, blob)
            self.experiments.setdefault(name, experiment)

    def _conductor_said(self, header: Mapping[str, Any], blob: bytes) -> None:
        if "interrupt" in header:
            self.kernel.signal(signal.SIGINT)
        elif header.get("cell") in self.cells:
            self.ran[header["cell"]] = record.validated(header, blob)

    def executed(self) -> Executed:
        """Return the notebook with what came of it."""
        if isinstance(self.fault, Stopped):
            raise self.fault
        fault = str(self.fault) if self.fault else ""
        if not fault and not self.ready:
            reason = self.failed or record.last_line(self.ended.output if self.ended else "")
            fault = f"the kernel did not start: {reason}"
        end = record.end_of(self.ended, self.broken, self.nursery.limits)
        ran = self.ran if self.ready else {}
        notebook, cells, notes = record.assemble(self.notebook, self.cells, ran, end, self.why)
        experiments = {"cells": cells, **{name: one for name, one in self.experiments.items() if name != "cells"}}
        output = self.ended.output if self.ended else ""
        evidence = Evidence(experiments, end, fault, output, self.seconds)
        starved = self.ended.starved_seconds if self.ended else 0.0
        return Executed(notebook, evidence, (*dict.fromkeys(self.notes), *notes), starved)


def folders(links: Mapping[str, str]) -> list[str]:
    """Return the folders at the top of the child's root that a notebook's own paths need.

    >>> folders({"/kaggle/input/pa2": "pa2", "./train": "pa2/train", "/usr/data": "pa2"})
    ['/content', '/kaggle']
    """
    tops = {Path(path).parts[1] for path in links if path.startswith("/") and len(Path(path).parts) > 1}
    return sorted({WORK, *(f"/{top}" for top in tops - _OWN if top != "..")})


@contextlib.contextmanager
def _sockets() -> Iterator[tuple[list[int], list[int]]]:
    """Yield sockets that listen, and files that lead to them whatever root a process has."""
    # Not wherever temporary files go: the path of a socket has 107 bytes at most.
    with (
        tempfile.TemporaryDirectory(prefix=f"{SOCKETS}{os.getpid()}-", dir="/tmp") as folder,
        contextlib.ExitStack() as stack,
    ):
        listening, connecting = [], []
        for number in range(_CHANNELS):
            made = stack.enter_context(socket.socket(socket.AF_UNIX))
            made.bind(f"{folder}/{number}")
            os.chmod(f"{folder}/{number}", 0o666)
            made.listen(8)
            listening.append(made.fileno())
            connecting.append(os.open(f"{folder}/{number}", os.O_PATH | os.O_CLOEXEC))
            stack.callback(os.close, connecting[-1])
        yield listening, connecting


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Yield both ends of a pipe; whoever writes closes that end itself."""
    read, write = os.pipe()
    try:
        yield read, write
    finally:
        os.close(read)
