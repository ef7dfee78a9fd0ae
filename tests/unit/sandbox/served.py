"""A module that a child serves an order with, in the tests of what a kernel's child gets besides its order."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from typing import Any

from graders.sandbox import frames


def serve(channel: socket.socket, order: Mapping[str, Any], blob: bytes) -> int:
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 4) if order["descriptors"] else (b"", [], 0, None)
    signal.signal(signal.SIGUSR1, lambda *_: frames.send(channel, {"signalled": True}))
    report = {
        "blob": blob.decode(),
        "read": [os.read(descriptor, 10).decode() for descriptor in descriptors],
        "sockets": [kind.name for kind in (socket.AF_UNIX, socket.AF_INET, socket.AF_NETLINK) if _made(kind)],
        "written": [folder for folder in order["try"] if _written(folder)],
    }
    frames.send(channel, report)
    while order["wait"]:
        signal.pause()
        break
    frames.send(channel, {"done": True})
    return 0


def _made(kind: socket.AddressFamily) -> bool:
    try:
        socket.socket(kind).close()
    except OSError:
        return False
    return True


def _written(folder: str) -> bool:
    try:
        os.makedirs(f"{folder}/below", exist_ok=True)
        with open(f"{folder}/below/file", "w") as file:
            file.write("x")
    except OSError:
        return False
    return True
