"""The conductor: plays a notebook to a kernel with nbclient, in a confined child of its own.

It parses what a hostile kernel says, so it is trusted with nothing: it has a processor, memory and time of its own,
sees no file, and what it reports is validated. After each cell it sends a frame: the number, how the cell ended
(`ok`, `error`, `interrupted`, `stuck`, `died`, `unread`), seconds, and outputs as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from queue import Empty
from typing import Any

import nbformat
import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from nbclient import NotebookClient
from nbformat.v4 import output_from_msg

from graders.execute.outputs import Ledger
from graders.sandbox import frames

CHANNELS = ("shell", "iopub")
_LEAST = 0.3  # seconds with which a cell is begun: an interrupt must not come before the cell does
GRACE = 2.0  # seconds that an interrupted cell has to end
_LONGEST_MESSAGE = 64 << 20
_IDLE_SECONDS = 4  # between the reply to a cell and the last of its outputs
Send = Callable[[Mapping[str, Any], bytes], None]


def serve(channel: socket.socket, order: Mapping[str, Any], blob: bytes) -> int:
    """Run the notebook of an order in the kernel whose sockets come as descriptors; return the exit status."""
    _, descriptors, _, _ = socket.recv_fds(channel, 1, len(CHANNELS) + 1)
    logging.disable(logging.CRITICAL)

    def send(header: Mapping[str, Any], body: bytes = b"") -> None:
        frames.send(channel, header, body)

    asyncio.run(_conduct(order, json.loads(blob), descriptors, send))
    return 0


class _Client(AsyncKernelClient):  # type: ignore[misc] # jupyter_client is not typed for us
    """Speaks to a kernel through the files of its sockets, whatever folder they lie in."""

    def connected_to(self, key: str, sockets: Mapping[str, int]) -> _Client:
        self.session.key = key.encode()
        self.sockets = dict(sockets)
        self.start_channels(stdin=False, hb=False, control=False)
        self.allow_stdin = False
        return self

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        made = self.context.socket(zmq.DEALER if channel == "shell" else zmq.SUB)
        made.linger = 0
        made.maxmsgsize = _LONGEST_MESSAGE
        made.connect(f"ipc:///proc/self/fd/{self.sockets[channel]}")
        return made

    async def is_alive(self) -> bool:
        """Always: the end of the kernel is seen on a pipe, at once."""
        return True


class _Player(NotebookClient):  # type: ignore[misc] # as above
    """Keeps what a report can show: no widgets, no scripts, and only so much of anything."""

    ledger: Ledger

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        if self.clear_before_next_output:
            self._cleared(outs, cell_index)
        try:
            new = output_from_msg(msg)
        except ValueError:
            return None
        if not self.ledger.add(outs, new):
            return None
        if display_id:
            places = self._display_id_map.setdefault(display_id, {}).setdefault(cell_index, [])
            places.append(len(outs) - 1)
        return new

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        if msg["content"].get("wait"):
            self.clear_before_next_output = True
        else:
            self._cleared(outs, cell_index)

    def _cleared(self, outs: list[Any], cell_index: int) -> None:
        outs[:] = []
        self.ledger.forget()
        self.clear_display_id_mapping(cell_index)
        self.clear_before_next_output = False

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        if msg["msg_type"] != "update_display_data":
            return
        msg["header"]["msg_type"] = "display_data"
        kept: list[Any] = []
        if not self.ledger.add(kept, output_from_msg(msg)):
            return
        for cell_index, places in self._display_id_map.get(display_id, {}).items():
            outputs = self.nb.cells[cell_index]["outputs"]
            for place in places:
                if place < len(outputs) and "data" in outputs[place]:
                    outputs[place]["data"] = kept[0]["data"]

    def handle_comm_msg(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Leave widgets alone: nobody is there to use one."""


async def _conduct(order: Mapping[str, Any], document: Any, descriptors: list[int], send: Send) -> None:
    *sockets, life = descriptors
    started, gone = time.monotonic(), asyncio.Event()
    asyncio.get_running_loop().add_reader(life, gone.set)
    kernel = _Client(transport="ipc", ip="kernel").connected_to(order["key"], dict(zip(CHANNELS, sockets, strict=True)))
    player = _Player(nbformat.from_dict(document), raise_on_iopub_timeout=False, allow_errors=True)
    player.iopub_timeout = _IDLE_SECONDS
    player.kc, player.ledger = kernel, Ledger()
    end = started + order["total_seconds"]
    await _until(_greeted(kernel), gone, order["total_seconds"])
    for number in order["cells"]:
        budget = min(order["cell_seconds"], end - time.monotonic())
        if budget < _LEAST or gone.is_set():
            break
        if not await _play(player, number, budget, gone, send):
            break
    send({"done": True}, b"")


async def _greeted(kernel: _Client) -> None:
    """Wait until the kernel's outputs arrive here: what it says before that is lost."""
    while True:
        kernel.kernel_info()
        try:
            await kernel.iopub_channel.get_msg(timeout=0.5)
        except Empty:
            continue
        return


async def _until(work: Any, gone: asyncio.Event, seconds: float) -> asyncio.Task[Any] | None:
    """Return the task of some work when it is done in time, None when it is not; the kernel's end ends it too."""
    task, ending = asyncio.ensure_future(work), asyncio.ensure_future(gone.wait())
    await asyncio.wait({task, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    return task if task.done() else None


async def _play(player: _Player, number: int, budget: float, gone: asyncio.Event, send: Send) -> bool:
    """Run one cell and report on it; return whether the next can run."""
    started, cell = time.monotonic(), player.nb.cells[number - 1]
    player.ledger.begin()
    cell.outputs = []
    task = asyncio.ensure_future(player.async_execute_cell(cell, number - 1))
    done = await _until(task, gone, budget)
    status = "ok"
    if not done and not gone.is_set():
        status = "interrupted"
        send({"interrupt": number}, b"")
        done = await _until(task, gone, GRACE)
    if not done:
        status = "died" if gone.is_set() else "stuck"
        await asyncio.sleep(0.1)  # what it put out last may still be on its way
    elif task.exception():
        status = "unread"
    elif status == "ok" and any(output["output_type"] == "error" for output in cell.outputs):
        status = "error"
    player.ledger.finish(cell.outputs)
    body = json.dumps({"outputs": cell.outputs, "execution_count": cell.execution_count})
    seconds = round(time.monotonic() - started, 3)
    send({"cell": number, "status": status, "seconds": seconds}, body.encode())
    return status not in ("died", "stuck")
