"""What every recorder has: a way to send its notes within bounds, and the face that the kernel knows. NumPy only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from graders.model import Experiment
from graders.probes.recorder_notes import experiment
from graders.probes.recorder_patches import Patches

Emit = Callable[[str, Experiment], None]
_MOST_BYTES = 30 * 2**20  # that all arrays of a run hold together
_MOST_FAULTS = 20


class Post:
    """Sends notes as experiments `call 000`, `call 001`, ..., at most `most`, and at last `call end`.

    What goes wrong in our own notes is kept away from the student's code, and told at the end as our fault.
    """

    def __init__(self, emit: Emit, most: int) -> None:
        self._emit, self._most = emit, most
        self.sent = self.dropped = self._bytes = 0
        self._full = False
        self._faults: list[str] = []

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Let nothing that goes wrong here out."""
        try:
            yield
        except Exception as error:
            self._faults.append(f"{type(error).__name__}: {error}"[:200])

    def send(self, cell: int, details: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Send one note of a cell; after the first for which there is no room, none."""
        size = sum(array.nbytes for array in arrays.values())
        self._full |= self.sent >= self._most or self._bytes + size > _MOST_BYTES
        if self._full:  # and for all later ones: notes build on each other
            self.dropped += 1
            return
        self._bytes += size
        self._emit(f"call {self.sent:03}", experiment(cell, dict(details), dict(arrays)))
        self.sent += 1

    def end(self, cell: int, details: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Send the last note, whatever was dropped."""
        whole = {"method": "end", **details, "faults": self._faults[:_MOST_FAULTS], "dropped": self.dropped}
        self._emit("call end", experiment(cell, whole, dict(arrays)))


class Listener(Protocol):
    """A recorder."""

    def after_cell(self, number: int) -> None:
        """Send what the cell of that number did."""
        ...

    def finish(self) -> None:
        """Send the rest."""
        ...


class Face:
    """The one recorder of a module, and what it replaced."""

    def __init__(self) -> None:
        self.patches = Patches()
        self.recorder: Listener | None = None

    def after_cell(self, number: int) -> None:
        """Note that the cell of that number has run, well or not."""
        if self.recorder is not None:
            self.recorder.after_cell(number)

    def finish(self) -> None:
        """Send what is left; call it once, also when a time limit ends the run in the middle of a call."""
        if self.recorder is not None:
            self.recorder.finish()

    def uninstall(self) -> None:
        """Take all hooks away."""
        self.patches.undo()
        self.recorder = None
