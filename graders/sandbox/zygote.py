"""The fork server: imports a framework once, then forks a child per item and submission.

Started as `python -m graders.sandbox.zygote FD MODULE...`. A request is one datagram on the inherited socket FD with
two descriptors: `control`, on which the child's monitor reports how it ended, and `data`, on which the child sends
evidence.
The zygote runs no student code and no framework operation: an operation before the fork would hang the children.
"""

from __future__ import annotations

import array
import gc
import importlib
import itertools
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import ModuleType

from graders.sandbox import linux, monitor

_DATAGRAM = 64 << 10
_MANY = 10


def thread_count() -> int:
    """Return how many threads this process has; a fork copies one of them only."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Threads:"))


def receive_request(control: socket.socket) -> tuple[dict[str, object], list[int]] | None:
    """Return the next request with its descriptors, or None when the trusted side has gone."""
    message, ancillary, _, _ = control.recvmsg(_DATAGRAM, socket.CMSG_SPACE(16))
    if not message:
        return None
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return json.loads(message), list(descriptors)


def serve(control: socket.socket) -> None:
    """Fork a monitor per request until the trusted side closes the socket."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # monitors report for themselves; nobody waits for them
    for number in itertools.count():
        request = receive_request(control)
        if request is None:
            return
        if number == _MANY:
            linux.join_pages()
        document, descriptors = request
        if os.fork() == 0:
            monitor.run(document, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def needed_by(module: ModuleType) -> tuple[str, ...]:
    """Return what the graders of an assignment want besides: the instruments of its framework, and what it names."""
    registry = getattr(module, "GRADERS", None)
    return (f"graders.probes.{registry.framework}", *registry.preload) if registry is not None else ()


def main() -> None:
    """Import what the children need, say how it went, then serve."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.umask(0o022)
    gc.disable()  # a framework is a million objects that stay: to look for garbage among them takes a tenth of the time
    versions: dict[str, str] = {}
    for name in sys.argv[2:]:
        module = importlib.import_module(name)
        versions[name] = str(getattr(module, "__version__", ""))
        for more in needed_by(module):
            importlib.import_module(more)
    gc.enable()
    gc.freeze()  # keeps the collector from touching, and so copying, the shared pages; what is garbage stays with them
    control.send(json.dumps({"threads": thread_count(), "versions": versions}).encode())
    serve(control)


if __name__ == "__main__":
    main()
