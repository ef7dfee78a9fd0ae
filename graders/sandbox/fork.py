"""The trusted side of the fork server: starts a zygote, orders children from it, collects what they send."""

from __future__ import annotations

import array
import contextlib
import itertools
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.errors import Fault
from graders.sandbox import frames
from graders.sandbox.limits import NOTHING, Equipment, Limits

_START_SECONDS = 120.0
_REPORT_SECONDS = 20.0
_LATEST = 3.0  # times the limit of the clock: the monitor's own patience
_DYING_SECONDS = 2.0  # between the closing of a child's channel and its end
_FIRST_UID = 61_000
_MOST_UIDS = 4000
_uids = itertools.count(os.getpid())  # two runs on one machine should not take the same

# One thread each, quiet, on the CPU, the same arithmetic everywhere.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def _gpu_variables() -> dict[str, str]:
    """Return which GPUs this run was given and where their libraries are.

    TensorFlow takes what it needs of the memory, as PyTorch does; by default the first child would take all of it.
    """
    names = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "NVIDIA_VISIBLE_DEVICES")
    given = {name: os.environ[name] for name in names if name in os.environ}
    return {"CUDA_VISIBLE_DEVICES": "0", "TF_FORCE_GPU_ALLOW_GROWTH": "true", **given}


def _named_home() -> dict[str, str]:
    """Return where a course's own assignments are, for the zygote to import; its children cannot read there."""
    named = os.environ.get("GRADERS_HOME")
    return {"GRADERS_HOME": os.path.abspath(named)} if named else {}


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    `reason` is ended, cancelled, the limit that it was over (timeout, processes, memory, disk), or lost when its
    monitor did not report. `starved_seconds` are those that it waited for a processor.
    """

    reason: str
    code: int = 0
    confined: bool = True
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    starved_seconds: float = 0.0
    output: str = ""


class Reins:
    """Lets another thread signal or end a child while it runs; before it began, an end is kept for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._over = False

    def take(self, control: socket.socket | None) -> None:
        """Hold a child by its monitor's socket, or let go of it."""
        with self._lock:
            self._control = control
        if self._over:
            self.end()

    def signal(self, number: int) -> None:
        """Have the monitor send the child a signal."""
        with self._lock, contextlib.suppress(OSError):
            if self._control:
                self._control.send(bytes([number]))

    def end(self) -> None:
        """Have the child killed, with all that it started."""
        self._over = True
        with self._lock, contextlib.suppress(OSError):
            if self._control:
                self._control.shutdown(socket.SHUT_WR)


class Zygote:
    """A running fork server. `modules` are imported before the first fork; use it from any thread."""

    def __init__(self, modules: Sequence[str], level: str, limits: Limits, devices: Sequence[str] = ()) -> None:
        self.level, self.limits, self.devices = level, limits, list(devices)
        self._lock = threading.Lock()
        self._running: set[socket.socket] = set()
        self._stage = tempfile.mkdtemp(prefix="graders-root-")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "graders.sandbox.zygote", str(theirs.fileno()), *modules],
            pass_fds=[theirs.fileno()],
            env={**ENVIRONMENT, **(_gpu_variables() if devices else {}), **_named_home(), "HOME": self._stage},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self._stage,
            start_new_session=True,  # Ctrl-C is for us: we stop the zygote in our own time
        )
        theirs.close()
        self._control = ours
        self.versions = self._hello()
        self.start_seconds = time.monotonic() - started

    @property
    def alive(self) -> bool:
        """Whether the fork server still runs."""
        return self._process.poll() is None

    def _hello(self) -> dict[str, str]:
        self._control.settimeout(_START_SECONDS)
        try:
            message = self._control.recv(1 << 16)
        except TimeoutError:
            message = b""
        self._control.settimeout(None)
        if not message:
            complaint = self._complaint()
            self.close()
            raise Fault(f"the zygote did not start: {complaint}")
        hello = json.loads(message)
        if hello["threads"] != 1:
            self.close()
            raise Fault(f"the zygote has {hello['threads']} threads; a fork of it would hang")
        return dict(hello["versions"])

    def _complaint(self) -> str:
        self._process.kill()
        _, errors = self._process.communicate()
        lines = errors.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def run(
        self,
        order: Mapping[str, Any],
        blob: bytes,
        on_frame: Callable[[dict[str, Any], bytes], None],
        equipment: Equipment = NOTHING,
        reins: Reins | None = None,
    ) -> tuple[Ended, str]:
        """Run one order in a child, call `on_frame` for each frame; return the child's end and what broke the stream.

        Raises Fault when no child could be had or it could not be confined.
        """
        control, data = self._spawn(equipment)
        reins = reins or Reins()
        self._running.add(control)
        reins.take(control)
        try:
            broken = _converse(data, order, blob, equipment.descriptors, on_frame, self.limits)
            data.close()
            ended = _ending(control, patience=_DYING_SECONDS if broken == "closed" else 0.0)
        finally:
            reins.take(None)
            self._running.discard(control)
            data.close()
            control.close()
        if not ended.confined:
            raise Fault(f"the child could not be confined to '{self.level}': {_last_line(ended.output)}")
        if ended.reason == "lost":
            raise Fault("the child's monitor was lost")
        return ended, broken

    def _spawn(self, equipment: Equipment = NOTHING) -> tuple[socket.socket, socket.socket]:
        control, control_child = socket.socketpair()
        data, data_child = socket.socketpair()
        request = {
            "level": self.level,
            "limits": self.limits.document(),
            "stage": self._stage,
            "uid": _FIRST_UID + next(_uids) % _MOST_UIDS,
            "devices": self.devices,
            "folders": equipment.folders,
            "given": equipment.given,
            "unix_sockets": equipment.unix_sockets,
        }
        descriptors = array.array("i", [control_child.fileno(), data_child.fileno()])
        try:
            with self._lock:
                self._control.sendmsg(
                    [json.dumps(request).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
                )
        except OSError as error:
            control.close()
            data.close()
            raise Fault("the zygote has died") from error
        finally:
            control_child.close()
            data_child.close()
        return control, data

    def close(self) -> None:
        """Stop the zygote; children that still run are killed by their monitors, and count as lost."""
        for control in list(self._running):
            with contextlib.suppress(OSError):
                control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        shutil.rmtree(self._stage, ignore_errors=True)

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _converse(
    data: socket.socket,
    order: Mapping[str, Any],
    blob: bytes,
    descriptors: Sequence[int],
    on_frame: Callable[[dict[str, Any], bytes], None],
    limits: Limits,
) -> str:
    """Send the order, read frames until the last; return "" or what broke the stream."""
    # The monitor keeps the time, and gives more to a child that a busy machine keeps waiting; this guards its loss.
    deadline = time.monotonic() + limits.wall_seconds * _LATEST + 5
    budget = limits.frame_bytes
    try:
        data.settimeout(limits.wall_seconds)
        frames.send(data, order, blob)
        if descriptors:
            socket.send_fds(data, [b"+"], list(descriptors))
        for _ in range(limits.frames):
            frame = frames.receive(data, min(budget, limits.largest_frame), deadline)
            if frame is None:
                return "closed"
            header, body = frame
            if header.get("done") is True:
                return ""
            budget -= len(body)
            on_frame(header, body)
    except frames.FrameTimeout:
        return "deadline"
    except frames.FrameError as error:
        return str(error)
    except OSError:
        return "closed"
    return f"more than {limits.frames} frames"


def _ending(control: socket.socket, patience: float) -> Ended:
    """Wait `patience` seconds for a child that is dying anyway, then have it killed; return how it ended."""
    readable, _, _ = select.select([control], [], [], patience)
    if not readable:
        control.shutdown(socket.SHUT_WR)
    control.settimeout(_REPORT_SECONDS)
    received = b""
    try:
        while not received.endswith(b"\n"):
            chunk = control.recv(1 << 16)
            if not chunk:
                return Ended("lost")
            received += chunk
    except OSError:
        return Ended("lost")
    return Ended(**json.loads(received))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
