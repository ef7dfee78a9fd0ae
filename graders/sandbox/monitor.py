"""The monitor of one child: a trusted process between the zygote and student code, outside the child's namespaces.

It forks the child, drains its output into a capped buffer, kills it (and all it started) at the deadline or when the
trusted side goes away, and reports how it ended. It holds nothing that student code could want.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from typing import Any, NoReturn

from graders.sandbox import child, confine, linux, usage
from graders.sandbox.limits import Limits

_CONFINED = b"+"  # what the child says on a pipe of its own before anything of the student's runs
_GRACE = 0.05
_STOPS = 20
_ENDING_SECONDS = 60.0  # for all that a child left; on a busy machine a bomb takes a while
_TICK = 0.2  # seconds between two looks at what the child uses
_SLACK = 8  # threads beyond the limit: where the system counts them, it denies one more and ends nothing
_PATIENCE = 3  # how many times the limit of the clock a child may take that waits for a processor


def run(request: dict[str, Any], control_fd: int, data_fd: int) -> NoReturn:
    """Run one child to its end and report; never returns into the zygote's loop."""
    status = 1
    try:
        linux.close_except({0, 1, 2, control_fd, data_fd})
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _supervise(request, socket.socket(fileno=control_fd), data_fd)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _supervise(request: dict[str, Any], control: socket.socket, data_fd: int) -> None:
    level, limits = request["level"], Limits(**request["limits"])
    own_root = confine.enter_namespaces() if level == "full" else False
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    scratch = confine.SCRATCH if level == "full" else tempfile.mkdtemp(prefix="graders-")
    output_read, output_write = os.pipe()
    said_read, said_write = os.pipe()
    process = os.fork()
    if process == 0:
        control.close()
        os.close(output_read)
        _become_child(request, limits, data_fd, output_write, said_write, scratch, own_root)
    for descriptor in (data_fd, output_write, said_write):
        os.close(descriptor)
    output = _Output(output_read, limits.output_bytes)
    meter = _Meter(process, limits, "" if level == "full" else scratch)
    try:
        reason = _watch(process, control, output, meter)
        code, used = _reap(process)
        if level != "full":
            _kill_descendants()
        output.drain()
        document = {
            "reason": reason,
            "code": code,
            "confined": os.read(said_read, 1) == _CONFINED,
            "cpu_seconds": max(used.ru_utime + used.ru_stime, meter.cpu_seconds),
            "peak_mb": used.ru_maxrss / 1024,
            "starved_seconds": meter.starved_seconds,
            "output": output.text(),
        }
        with contextlib.suppress(OSError):
            control.sendall(json.dumps(document).encode() + b"\n")
    finally:  # after the report: to remove very many files takes long
        if level != "full":
            _kill_descendants()
            shutil.rmtree(scratch, ignore_errors=True)


def _become_child(
    request: dict[str, Any], limits: Limits, data_fd: int, output_fd: int, said_fd: int, scratch: str, own_root: bool
) -> NoReturn:
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output_fd, 1), (output_fd, 2)):
            os.dup2(source, target)
        linux.close_except({0, 1, 2, data_fd, said_fd})
        os.setsid()
        confine.confine(
            request["level"],
            limits,
            scratch=scratch,
            stage=request["stage"],
            uid=request["uid"],
            own_root=own_root,
            devices=request["devices"],
            folders=request["folders"],
            given=request["given"],
            unix_sockets=request["unix_sockets"],
        )
        os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR", "KERAS_HOME"), scratch))
        os.write(said_fd, _CONFINED)
        os.close(said_fd)
        status = child.main(socket.socket(fileno=data_fd))
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


class _Output:
    """What the child prints: the first bytes and the last, all between is counted and dropped."""

    def __init__(self, descriptor: int, cap: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor, self.cap = descriptor, cap // 2
        self.head, self.tail, self.dropped = b"", b"", 0

    def drain(self) -> bool:
        """Read what is there; return False at the end of the stream."""
        for _ in range(64):  # a flood must not keep the monitor from its deadline
            try:
                chunk = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            room = self.cap - len(self.head)
            self.head, rest = self.head + chunk[:room], self.tail + chunk[room:]
            self.tail = rest[-self.cap :] if self.cap else b""
            self.dropped += len(rest) - len(self.tail)
        return True

    def text(self) -> str:
        """Return what was kept."""
        gap = f"\n[... {self.dropped} bytes left out ...]\n".encode() if self.dropped else b""
        return (self.head + gap + self.tail).decode(errors="replace")


class _Meter:
    """What the child and all that it started have used so far; `over` says which limit they are over together."""

    def __init__(self, process: int, limits: Limits, scratch: str) -> None:
        self.process, self.limits, self.scratch = process, limits, scratch
        self.cpu_seconds = self.starved_seconds = 0.0
        self._started = time.monotonic()

    def over(self) -> str:
        """Return "" or the limit. A machine that is busy with others must not cost time: that is not counted."""
        limits, processes = self.limits, usage.tree(self.process)
        self.cpu_seconds = max(self.cpu_seconds, usage.cpu_seconds(processes))
        self.starved_seconds = max(self.starved_seconds, usage.starved_seconds(self.process))
        elapsed = time.monotonic() - self._started
        if elapsed > limits.wall_seconds:
            late = elapsed - self.starved_seconds > limits.wall_seconds
            if late or elapsed > limits.wall_seconds * _PATIENCE:
                return "timeout"
        if self.cpu_seconds > limits.cpu_seconds + 1:  # a single process meets its own limit before
            return "timeout"
        if usage.tasks(processes) > limits.processes + _SLACK:
            return "processes"
        if usage.over_memory(processes, limits.memory_mb):
            return "memory"
        if self.scratch and usage.over_disk(self.scratch, processes, limits.scratch_mb, limits.scratch_files):
            return "disk"
        return ""


def _watch(process: int, control: socket.socket, output: _Output, meter: _Meter) -> str:
    """Wait for the child's end, a limit, or the trusted side's going; kill the child, return which it was."""
    pidfd = os.pidfd_open(process)
    poll = select.poll()
    for descriptor in (pidfd, output.descriptor, control.fileno()):
        poll.register(descriptor, select.POLLIN)
    reason, look = "", time.monotonic() + _TICK
    while not reason:
        ready = {descriptor for descriptor, _ in poll.poll(max(0, look - time.monotonic()) * 1000)}
        if output.descriptor in ready and not output.drain():
            poll.unregister(output.descriptor)
        if pidfd in ready:
            reason = "ended"
        elif control.fileno() in ready:
            reason = "" if _pass_on(control, process) else "cancelled"
        elif time.monotonic() >= look:
            reason, look = meter.over(), time.monotonic() + _TICK
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return reason


def _pass_on(control: socket.socket, process: int) -> bool:
    """Send the child the signals that the trusted side asks for, a byte each; return whether that side is there."""
    wanted = control.recv(16)
    for number in wanted:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
    return bool(wanted)


def _reap(process: int) -> tuple[int, Any]:
    _, status, usage = os.wait4(process, 0)
    return os.waitstatus_to_exitcode(status), usage


def _kill_descendants() -> None:
    """Kill what the child left behind; as their subreaper we are the parent of them all, however they hid.

    All are stopped before any is killed: stopped ones count against the limit of processes, so a bomb that forks faster
    than we kill runs out of processes instead.
    """
    patience = time.monotonic() + _ENDING_SECONDS
    while (mine := _mine()) and time.monotonic() < patience:
        for _ in range(_STOPS):
            _send(mine, signal.SIGSTOP)
            mine = _mine()
            if usage.stopped(mine):
                break
        _send(mine, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(_GRACE / 10)


def _mine() -> list[int]:
    return usage.tree(os.getpid())[1:]


def _send(processes: list[int], number: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
