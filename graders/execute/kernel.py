"""The kernel: stock ipykernel in a confined child forked from the zygote, with the notebook's surroundings laid out.

Its two sockets come as descriptors that listen already, so the child needs no right to make a socket and no folder
that both sides see. Frames that it sends: {"ready"} before anything of the student's runs, experiments, {"note"} for
what was not run here, and {"done"} once the recorder has finished; everything from "ready" on is hostile.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import zmq
from ipykernel.control import ControlThread
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from graders.execute import layout, shims
from graders.execute.stage import FINISH
from graders.model import Experiment, Failure
from graders.probes import wire
from graders.sandbox import frames

INLINE = "module://matplotlib_inline.backend_inline"
_SOCKETS = 2
_MOST_TEXT = 8_000_000  # characters of one cell that are worth sending; fewer of them are kept
_MOST_NOTES = 200


def serve(channel: socket.socket, order: Mapping[str, Any], blob: bytes) -> int:
    """Lay out what an order brings, and be its notebook's kernel until told to finish; return the exit status."""
    _, (shell, iopub), _, _ = socket.recv_fds(channel, 1, _SOCKETS)
    sender = Sender(channel, order["frames"], order["frame_bytes"])
    for note in layout.lay_out(order, blob):
        sender.note(note)
    tempfile.tempdir = None  # the zygote may have settled on a folder that is not the child's
    app = _app(order["key"], shell, iopub)
    try:
        recorder = importlib.import_module(order["recorder"])
        hooks = Hooks(recorder, order["cells"], sender, lambda: str(app.kernel.get_parent()["header"]["msg_id"]))
        hooks.install(app, order["shrink"], order["seed"])
        shims.install(app.shell, sender.note)
    except Exception as error:
        frames.send(channel, {"failed": f"{type(error).__name__}: {error}"[:500]})
        return 1
    frames.send(channel, {"ready": True})
    app.start()
    return hooks.finish()


class Sender:
    """Sends experiments and notes, whole ones, and no more than the trusted side takes."""

    def __init__(self, channel: socket.socket, most: int, most_bytes: int) -> None:
        self.channel, self.left, self.bytes_left, self.notes = channel, most - 3, most_bytes, _MOST_NOTES
        self.busy = False

    def emit(self, name: str, experiment: Experiment) -> None:
        """Send one experiment; what is too large for a frame is sent as a failure that says so."""
        header, blob = wire.pack(name, experiment)
        refusal = ""
        if len(frames.encode(header)) > frames.HEADER_CAP:
            refusal = f"its values are over {frames.HEADER_CAP >> 10} KiB"
        elif len(blob) > self.bytes_left:
            refusal = "its arrays are more than is left of what a run may send"
        if refusal:
            header, blob = wire.pack(name, Experiment(failure=Failure("evidence", refusal)))
        self.bytes_left -= len(blob)
        self._send(header, blob)

    def note(self, text: str) -> None:
        """Send one line for the report."""
        if self.notes > 0:
            self.notes -= 1
            self._send({"note": text[:500]}, b"")

    def _send(self, header: Mapping[str, Any], blob: bytes) -> None:
        if self.left > 0:
            self.left -= 1
            self.busy = True
            try:
                frames.send(self.channel, header, blob)
            finally:
                self.busy = False


class Hooks:
    """Calls the recorder: before the first cell, after each, and at the end, whatever the end is."""

    def __init__(self, recorder: Any, numbers: list[int], sender: Sender, request: Callable[[], str]) -> None:
        self.recorder, self.numbers, self.sender, self.request = recorder, iter(numbers), sender, request
        self.running, self.number, self.depth = "", 0, 0
        self.wanted = self.finishing = False

    def install(self, app: Any, shrink: Mapping[str, int] | None, seed: int) -> None:
        """Begin to record; what fails here is our fault, and nothing of the student's has run."""
        self.recorder.install(app.shell.user_ns, shrink, self._emit, seed)
        app.shell.events.register("pre_run_cell", self._before)
        app.shell.events.register("post_run_cell", self._after)
        signal.signal(FINISH, self._on_signal)

    def _emit(self, name: str, experiment: Experiment) -> None:
        self.sender.emit(name, experiment)
        if self.wanted and not self.finishing:
            self.finish()

    def _before(self, _: Any) -> None:
        """A cell may itself run cells: those belong to the same request and have no number."""
        if self.request() != self.running:
            self.running, self.number, self.depth = self.request(), next(self.numbers, 0), 0
            Stream.left = _MOST_TEXT
        self.depth += 1

    def _after(self, _: Any) -> None:
        self.depth -= 1
        if self.depth == 0 and self.number:
            self._call(f"after cell {self.number}", self.recorder.after_cell, self.number)

    def _call(self, name: str, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except Exception as error:
            failure = Failure("recorder", wire.clip(f"{type(error).__name__}: {error}"))
            self.sender.emit(name, Experiment(failure=failure))

    def _on_signal(self, *_: Any) -> None:
        """Finish, but never within a frame that is being sent: then as soon as it is."""
        self.wanted = True
        if not self.sender.busy:
            self.finish()

    def finish(self) -> NoReturn:
        """Let the recorder send the rest, and leave."""
        if not self.finishing:
            self.finishing = True
            self._call("finish", self.recorder.finish)
            with contextlib.suppress(OSError):
                frames.send(self.sender.channel, {"done": True})
        os._exit(0)


# ipykernel ------------------------------------------------------------------------------------------------------------


class Stream(OutStream):  # type: ignore[misc] # ipykernel is not typed for us
    """Standard output or error, of which one cell may send a bounded number of characters."""

    left = _MOST_TEXT

    def write(self, string: str) -> int | None:
        """Send a text, as far as the cell may."""
        if not isinstance(string, str) or len(string) <= Stream.left:
            Stream.left -= len(string)
            written: int | None = super().write(string)
            return written
        if Stream.left >= 0:
            super().write(string[: Stream.left] + "\n[... the rest of this cell's output was not sent ...]\n")
        Stream.left = -1
        return len(string)


class _App(IPKernelApp):  # type: ignore[misc] # as above
    """The kernel's application on two sockets that exist already; no heartbeat, debugger, subshells or input."""

    descriptors: tuple[int, int]

    def init_connection_file(self) -> None:
        """There is none: the order brought the key."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """As above."""

    def init_poller(self) -> None:
        """The monitor watches instead."""

    def init_heartbeat(self) -> None:
        """The monitor watches instead."""

    def init_sockets(self) -> None:
        self.context = zmq.Context()
        self.shell_socket = self._listening(zmq.ROUTER, self.descriptors[0])
        self.stdin_socket = self._socket(zmq.ROUTER)
        self.control_socket = self._socket(zmq.ROUTER)
        self.control_thread = ControlThread(daemon=True)
        self.debugpy_socket = self._socket(zmq.STREAM)
        self.debug_shell_socket = self._socket(zmq.DEALER)
        iopub = self._listening(zmq.XPUB, self.descriptors[1])
        self.configure_tornado_logger()
        self.iopub_thread = IOPubThread(iopub, pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket
        self._ports: dict[str, int] = {}

    def _socket(self, kind: int) -> Any:
        made = self.context.socket(kind)
        made.linger = 0
        return made

    def _listening(self, kind: int, descriptor: int) -> Any:
        made = self._socket(kind)
        made.sndhwm = 0  # a cell that displays much must not lose the message that it has ended
        made.setsockopt(zmq.USE_FD, descriptor)
        made.bind(f"ipc:///kernel-{descriptor}")  # the name is not used: the socket has one
        return made

    def log_connection_info(self) -> None:
        """There is nobody to tell."""


def _app(key: str, shell: int, iopub: int) -> Any:
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "nocolor"
    settings.IPKernelApp.outstream_class = f"{Stream.__module__}.{Stream.__name__}"
    settings.IPKernelApp.log_level = logging.CRITICAL
    settings.IPKernelApp.transport, settings.IPKernelApp.ip = "ipc", "kernel"  # neither is used
    settings.Session.key = key.encode()
    os.environ |= {"MPLBACKEND": INLINE, "IPYTHONDIR": os.path.join(os.environ["HOME"], ".ipython")}
    if "matplotlib" in sys.modules:  # imported by the zygote, where the backend was another
        sys.modules["matplotlib"].rcParams["backend"] = INLINE
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app = _App.instance(config=settings)  # the one that `%matplotlib` and others ask for
    app.descriptors = (shell, iopub)
    app.initialize([])
    return app
