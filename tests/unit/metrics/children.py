"""The child's part of the metric tier in a process of its own, without confinement: what we wrote ourselves trains."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from graders.metrics.held import Held
from graders.sandbox import frames


def received_from(order: Mapping[str, Any], blob: bytes, data: Held, work: Path, seconds: float = 240.0) -> list[Any]:
    """Return the frames of one order, run in `work`; what is printed goes into the file output."""
    ours, theirs = socket.socketpair()
    inputs, end = socket.socketpair()
    code = f"import socket; from graders.sandbox import child; child.main(socket.socket(fileno={theirs.fileno()}))"
    command = [sys.executable, "-W", "ignore", "-c", code]
    with (work / "output").open("w") as output:
        process = subprocess.Popen(command, cwd=work, pass_fds=[theirs.fileno()], stdout=output, stderr=output)
    theirs.close()
    ours.settimeout(seconds)
    frames.send(ours, json.loads(json.dumps(order)), blob)
    socket.send_fds(ours, [b"+"], [end.fileno()])
    received: list[Any] = []
    while (frame := frames.receive(ours, 1 << 28)) is not None and not frame[0].get("done"):
        received.append(frame)
        if "trained" in frame[0]:
            frames.send(inputs, {}, save({"inputs": data.asked.inputs, "hints": data.hints}))
    process.wait(60)
    for one in (ours, inputs, end):
        one.close()
    return received
