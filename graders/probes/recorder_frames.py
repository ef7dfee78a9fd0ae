"""Calls of a model on a few small images, one after another: where a loop draws images pixel by pixel. NumPy only.

A *run* is a series of calls whose inputs differ from one to the next in one pixel position at most. When a run has seen
`_STEADY` such steps, it is a generation: from then on, in rehearsal, the answers are those of a *stand-in*, whose
probabilities are known and cover 0, 1 and all between. Before that the model itself answers. Half of the pixels have
the same probability in all images, so that noise which is shared among images shows there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.probes.recorder_images import SIDE

Array = NDArray[Any]
PIXELS = SIDE * SIDE
_STEADY = 3
_LEAST_CALLS = 16  # a shorter run generates nothing
_MOST_IMAGES = 16  # of which the probabilities are kept
_MOST_CALLS = 24_000  # of all runs of one record
_CERTAIN = 0.1  # the share of pixels of probability 0, and of probability 1
UNKNOWN, NOT_BINARY = 255, 2  # in `drawn`, besides 0 and 1


class StandIn:
    """Draws the tables of probabilities (n, 1024), one a run."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng([seed, 0x9C])
        self._is_shared = self._random.random(PIXELS) < 0.5
        self._shared = self._probabilities(1)

    def table(self, images: int) -> Array:
        """Return the probabilities of a run's images, float32 (images, 1024)."""
        return np.where(self._is_shared, self._shared, self._probabilities(images)).astype(np.float32)

    def _probabilities(self, images: int) -> Array:
        p, kind = self._random.random((images, PIXELS)), self._random.random((images, PIXELS))
        return np.where(kind < _CERTAIN, 0.0, np.where(kind > 1 - _CERTAIN, 1.0, p))


class Run:
    """Inputs that differ from call to call in one pixel at most."""

    def __init__(self, first: Array, table: Array | None) -> None:
        self.first, self.table = first, table
        self.images = len(first)
        self.pixels: list[int] = []  # the pixel that changed before call 1, 2, ...; -1 for none
        self.values: list[Array] = []  # what that pixel became in each image (n,)
        self.outputs: list[Array | None] = []  # (n, 1024) of each call

    def step(self, changed: Array, frames: Array) -> None:
        """Note one more call: which pixel changed before it, to what."""
        pixel = int(changed[0]) if changed.size else -1
        self.pixels.append(pixel)
        self.values.append(frames[:_MOST_IMAGES, pixel].copy() if changed.size else np.zeros(0))

    @property
    def calls(self) -> int:
        """How many calls it has seen."""
        return len(self.pixels) + 1

    def answer(self) -> Array | None:
        """Return the stand-in's probabilities when it is its turn."""
        return self.table if self.table is not None and len(self.pixels) >= _STEADY else None

    def values_of(self) -> dict[str, Any]:
        """Return the run in numbers; `offset` is the place in the order of the pixel that its first call drew."""
        order, offset, _ = order_of(self.pixels)
        stood_in = self.table is not None
        return {"calls": self.calls, "images": self.images, "order": order, "offset": offset, "stood_in": stood_in}

    def arrays_of(self) -> tuple[Array, Array, Array]:
        """Return pixel (calls,), drawn (calls, n) and probability (calls, n) of the pixel that each call drew."""
        _, _, pixel = order_of(self.pixels)
        shown = self.first[:_MOST_IMAGES]
        drawn = np.full((self.calls, len(shown)), UNKNOWN, np.uint8)
        probability = np.full(drawn.shape, np.nan, np.float32)
        frame = shown.copy()
        for call, (changed, values) in enumerate(zip(self.pixels, self.values, strict=True)):
            if changed >= 0:
                frame[:, changed] = values
            if pixel[call] >= 0:
                now = frame[:, pixel[call]]
                drawn[call] = np.where((now == 0) | (now == 1), now, NOT_BINARY)
        for call, outputs in enumerate(self.outputs):
            if outputs is not None and call < self.calls and pixel[call] >= 0:
                probability[call] = outputs[: len(shown), pixel[call]]
        return pixel.astype(np.int16), drawn, probability


def order_of(changed: list[int]) -> tuple[str, int, Array]:
    """Return the order of the pixels that changed, where it began, and the pixel that each call drew (-1: unknown).

    A pixel that is drawn as it was before does not show; the others tell the order.
    """
    observed = np.array([*changed, -1])
    steps = np.flatnonzero(observed >= 0)
    if not steps.size:
        return "none", -1, observed
    transposed = np.arange(PIXELS).reshape(SIDE, SIDE).T.ravel()
    for name, ranks in (("raster", np.arange(PIXELS)), ("columns", transposed), ("reversed", np.arange(PIXELS)[::-1])):
        offsets = np.unique(ranks[observed[steps]] - steps)
        if offsets.size == 1 and offsets[0] >= 0:
            places = np.arange(len(observed)) + offsets[0]
            pixels = np.argsort(ranks)[places.clip(max=PIXELS - 1)]
            return name, int(offsets[0]), np.where(places < PIXELS, pixels, -1)
    return "other", -1, observed


class Frames:
    """The calls of one model in one cell, as runs."""

    def __init__(self, stand_in: StandIn | None) -> None:
        self._stand_in = stand_in
        self._last: Array | None = None
        self._run: Run | None = None
        self.runs: list[Run] = []
        self.jumps = 0
        self._kept = 0

    def see(self, frames: Array) -> tuple[bool, Array | None]:
        """Note the input of a call (n, 1024); return whether a new run begins and the stand-in's answer, if any."""
        last, self._last = self._last, np.array(frames[:64], np.float32)
        changed = _changed(last, self._last)
        if self._run is None or changed is None or changed.size > 1:
            self._end()
            self.jumps += 1
            self._run = Run(self._last, self._stand_in.table(len(self._last)) if self._stand_in else None)
            return True, None
        self._run.step(changed, self._last)
        return False, self._run.answer()

    def note(self, outputs: Array) -> None:
        """Note what a call returned (n, 1024)."""
        if self._run is not None:
            self._run.outputs.append(outputs[:_MOST_IMAGES])

    def interrupt(self) -> None:
        """Note that the model was trained in between: the same input once more is no step of a generation."""
        self._end()
        self._last = None

    def _end(self) -> None:
        run = self._run
        if run is not None and run.calls >= _LEAST_CALLS and self._kept + run.calls * run.images <= _MOST_CALLS * 10:
            self._kept += run.calls * run.images
            self.runs.append(run)
        self._run = None

    def close(self) -> tuple[list[dict[str, Any]], dict[str, Array]]:
        """Return all runs that are long enough, in numbers, and their arrays, one after another."""
        self._end()
        alike = [run for run in self.runs if run.images == self.runs[0].images]
        if not alike:
            return [], {}
        columns = zip(*(run.arrays_of() for run in alike), strict=True)
        arrays = dict(zip(("pixel", "drawn", "probability"), map(np.concatenate, columns), strict=True))
        return [run.values_of() for run in alike], arrays


def _changed(last: Array | None, frames: Array) -> Array | None:
    """Return which pixels of frames (n, 1024) differ in any image; None when the two cannot be compared."""
    if last is None or last.shape != frames.shape:
        return None
    return np.flatnonzero(np.any(last != frames, axis=0))
