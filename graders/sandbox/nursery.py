"""Zygotes one after the other: started when the first child is wanted, and again when one has died."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graders.errors import Fault, Stopped
from graders.sandbox.fork import Ended, Reins, Zygote
from graders.sandbox.limits import NOTHING, Equipment, Limits, device_files

# What student code imports most often, of any framework; the framework comes with the assignment's graders.
_COMMON = (
    "numpy", "numpy.random", "PIL.Image", "PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin", "PIL.PpmImagePlugin", "safetensors.numpy", "pyseccomp", "graders.probes.runner",
)  # fmt: skip
_MOST_STARTS = 5  # without one child in between that came to its end: then it is no accident


def nursery_of(slug: str, limits: Limits, device: str = "cpu") -> Nursery:
    """Return a nursery for the code of an assignment; its level is still to be found out.

    Raises UsageError when the device is not there.
    """
    return Nursery((*_COMMON, f"graders.assignments.{slug}"), "", limits, device_files(device))


class Nursery:
    """Runs orders like a zygote, whichever zygote lives; use it from any thread."""

    def __init__(self, modules: Sequence[str], level: str, limits: Limits, devices: Sequence[str] = ()) -> None:
        self.modules, self.level, self.limits, self.devices = modules, level, limits, tuple(devices)
        self._zygote: Zygote | None = None
        self._dead: list[Zygote] = []
        self._lock = threading.Lock()
        self._starts = 0
        self._reason = ""
        self._closed = False

    def run(
        self,
        order: Mapping[str, Any],
        blob: bytes,
        on_frame: Callable[[dict[str, Any], bytes], None],
        equipment: Equipment = NOTHING,
        reins: Reins | None = None,
    ) -> tuple[Ended, str]:
        """Run one order in a child of the zygote that lives, as `Zygote.run` does.

        Raises:
            Fault: No child could be had or it could not be confined; another try may succeed.
            Stopped: The nursery was closed meanwhile.
        """
        zygote = self._living()
        zygote.level = self.level  # it may have been found out after the start
        try:
            ended = zygote.run(order, blob, on_frame, equipment, reins)
        except (Fault, OSError) as error:
            raise self._closed_or(error) from error
        if self._closed:
            raise Stopped
        self._starts = 0
        return ended

    def start(self) -> None:
        """Start the first zygote while the caller does something else; what goes wrong is said at the first run."""
        threading.Thread(target=self._try_to_start, daemon=True).start()

    def _try_to_start(self) -> None:
        with contextlib.suppress(Fault, Stopped):
            self._living()

    def _closed_or(self, error: Exception) -> Exception:
        if self._closed:
            return Stopped()
        return error if isinstance(error, Fault) else Fault(f"the child was lost: {error}")

    def _living(self) -> Zygote:
        with self._lock:
            if self._closed:
                raise Stopped
            if self._zygote and self._zygote.alive:
                return self._zygote
            if self._zygote:  # its children outlive it and may still come to their end
                self._dead.append(self._zygote)
                self._zygote = None
            while True:
                if self._starts >= _MOST_STARTS:
                    raise Fault(self._reason or f"the zygote died {self._starts} times; see `graders doctor`")
                self._starts += 1
                try:
                    self._zygote = Zygote(self.modules, self.level, self.limits, self.devices)
                except Fault as fault:
                    self._reason = str(fault)
                    continue
                return self._zygote

    def close(self) -> None:
        """Stop the zygote; children that still run are killed, and whoever waits for them is told Stopped."""
        self._closed = True
        with self._lock:
            for zygote in [*self._dead, *filter(None, [self._zygote])]:
                zygote.close()
            self._dead, self._zygote = [], None

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
