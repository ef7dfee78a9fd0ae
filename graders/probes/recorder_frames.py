"""Calls of a model on a few small images, one after another: where a loop draws images pixel by pixel. NumPy only.

A *segment* is a series of calls of which each differs from one of the last `_MEMORY` in one pixel position at most.
When this has gone on for `_STEADY` calls it is a generation: from then on, in rehearsal, the answers are those of a
*stand-in*, whose probabilities are known and cover 0, 1 and all between. Before that the model itself answers. Half of
the pixels have the same probability in all images, so that noise which is shared among images shows there.

Loops may be written in any way: all images in each call, one image after another, or one call an image at each pixel.
So a segment is taken apart afterwards into *streams*, one an image, and streams that go alike are put side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graders.probes.recorder_images import SIDE

Array = NDArray[Any]
PIXELS = SIDE * SIDE
_STEADY, _STILL = 3, 8  # calls after which the stand-in answers: where a pixel changed, and where none does
_MEMORY = 64  # calls back in which the same image is looked for
_LEAST_CALLS = 16  # a shorter segment generates nothing
_MOST_IMAGES = 16  # that are looked at
_MOST, _MOST_OUTPUTS = 400_000, 100_000  # images times calls of one record: of inputs, and of outputs beside them
_TABLES = 61  # of the stand-in, call by call; a prime, so that no loop over images meets the same one
_CERTAIN = 0.1  # the share of pixels of probability 0, and of probability 1
UNKNOWN, NOT_BINARY = 255, 2  # in `drawn`, besides 0 and 1
_RANKS = {
    "raster": np.arange(PIXELS),
    "columns": np.arange(PIXELS).reshape(SIDE, SIDE).T.ravel(),
    "reversed": np.arange(PIXELS)[::-1],
}


class StandIn:
    """Probabilities that are drawn from a seed: at every call others, save for the pixels that all images share."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng([seed, 0x9C])
        shared = random.random(PIXELS) < 0.5
        of_all, of_each = _probabilities(random, 1, 1), _probabilities(random, _TABLES, _MOST_IMAGES)
        self._tables = np.where(shared, of_all, of_each).astype(np.float32)

    def table(self, call: int, images: int) -> Array:
        """Return the probabilities that a call answers, float32 (images, 1024)."""
        return np.array(self._tables[call % _TABLES, np.arange(images) % _MOST_IMAGES])

    def of(self, calls: Array, image: int, pixels: Array) -> Array:
        """Return what those calls (n,) said of those pixels (n,) of an image."""
        return np.array(self._tables[calls % _TABLES, image % _MOST_IMAGES, pixels])


def _probabilities(random: np.random.Generator, tables: int, images: int) -> Array:
    p, kind = random.random((2, tables, images, PIXELS))
    return np.where(kind < _CERTAIN, 0.0, np.where(kind > 1 - _CERTAIN, 1.0, p))


class Stream(NamedTuple):
    """How one image came about: in which order, from which place in it, and for each call which pixel it drew."""

    order: str
    offset: int
    stood_in: bool
    pixel: Array  # (calls,) -1 where it is not known
    drawn: Array  # (calls,) 0, 1, NOT_BINARY or UNKNOWN
    probability: Array  # (calls,) what the call had said of that pixel; NaN where it is not known


@dataclass
class Segment:
    """Calls that go on from one another. `first` is the number of its first call, `images` how many each had."""

    first: int
    images: int
    codes: list[Array] = field(default_factory=list)  # (n, 2, 128) each, see `_code`
    outputs: dict[int, Array] = field(default_factory=dict)  # (n, 1024) by call, where the model itself answered
    linked: bool = False  # a call went on from another; until then it is a round of whatever images
    changed: bool = False  # one pixel of an image, from one of its calls to the next
    still: int = 0  # calls in a row that were like the one before

    def add(self, code: Array) -> bool | None:
        """Add a call; return whether it goes on from one of the last ones, None where it must begin a new segment."""
        apart = _apart(self.codes[-1:], code)
        if apart.min(initial=2) > 1:
            apart = _apart(self.codes[-_MEMORY:], code)
        if goes_on := bool(apart.min(initial=2) <= 1):
            self._link(len(apart) - int(np.flatnonzero(apart <= 1)[-1]))
            self.changed |= bool(apart.min() == 1)
            self.still = self.still + 1 if np.array_equal(self.codes[-1], code) else 0
        elif self.linked:
            return None
        self.codes.append(code)
        if not self.linked:
            self._drop(len(self.codes) - _MEMORY)
        return goes_on

    def _link(self, back: int) -> None:
        """Begin with the call so many calls back, if this is the first that goes on from another."""
        if not self.linked:
            self._drop(len(self.codes) - back)
        self.linked = True

    def _drop(self, calls: int) -> None:
        for _ in range(calls):
            self.outputs.pop(self.first, None)
            self.codes.pop(0)
            self.first += 1

    def is_generation(self) -> bool:
        """Return whether the stand-in is to answer by now."""
        return len(self.codes) > _STEADY and (self.changed or self.still >= _STILL)

    def streams(self, stand_in: StandIn | None) -> Iterator[Stream]:
        """Yield each image's stream; one that never changed while the stand-in answered was not generated."""
        codes = np.stack(self.codes)  # (calls, n, 2, 128)
        lag = _lag(codes)
        for phase in range(lag):
            calls = np.arange(phase, len(codes), lag)
            mine = codes[calls]
            together = order_of(_changes(mine))
            moves = (mine != mine[0]).any(axis=(0, 2, 3))  # (n,)
            for image in np.flatnonzero(moves if stand_in is not None and moves.any() else moves | True).tolist():
                one = order_of(_changes(mine[:, image : image + 1])) if together[0] == "other" else together
                yield self._stream(one, mine[:, image], self.first + calls, image, stand_in)

    def _stream(
        self, order: tuple[str, int, Array], codes: Array, calls: Array, image: int, stand_in: StandIn | None
    ) -> Stream:
        name, offset, pixel = order
        inside = slice(max(0, -offset), max(0, PIXELS - offset)) if name in _RANKS else slice(None)
        drawn = np.append(_values(codes[1:], pixel[:-1]), np.uint8(UNKNOWN))
        said = np.full(len(calls), np.nan, np.float32)
        if stand_in is not None:
            said = stand_in.of(calls, image, pixel)
        for place, call in enumerate(calls.tolist()):
            if call in self.outputs:
                said[place] = self.outputs[call][image, pixel[place]]
        said[pixel < 0] = np.nan
        place = max(offset, 0) if name in _RANKS else offset
        return Stream(name, place, stand_in is not None, pixel[inside], drawn[inside], said[inside])


def _code(frames: Array) -> Array:
    """Return frames (n, 1024) as bits (n, 2, 128): which pixels are 1, and which are neither 0 nor 1."""
    one = frames == 1
    return np.stack([np.packbits(one, axis=1), np.packbits(~one & (frames != 0), axis=1)], axis=1)


def _apart(codes: list[Array], others: Array) -> Array:
    """Return in how many pixels each of the codes (n, 2, 128) differs from others, in any image."""
    return _count(_differing(np.stack(codes), others)) if codes else np.zeros(0, int)


def _count(bits: Array) -> Array:
    return np.asarray(np.unpackbits(bits, axis=1).sum(axis=1, dtype=int))


def _differing(codes: Array, others: Array) -> Array:
    """Return the pixels in which codes (calls, n, 2, 128) differ from others, in any image, as bits (calls, 128)."""
    return np.asarray(np.bitwise_or.reduce(codes ^ others, axis=(1, 2)))


def _lag(codes: Array) -> int:
    """Return how many calls later the same images come again: 1, or more where images take turns."""
    best, most = 1, 0.0
    for lag in range(1, min(_MEMORY, len(codes) - 1) + 1):
        share = float((_count(_differing(codes[lag:], codes[:-lag])) <= 1).mean())
        if share > most:
            best, most = lag, share
        if most == 1.0:
            break
    return best


def _changes(codes: Array) -> list[int]:
    """Return the pixel that changed from each call to the next in any image; -1 for none, -2 for several."""
    bits = np.unpackbits(_differing(codes[1:], codes[:-1]), axis=1)  # (calls - 1, 1024)
    number = bits.sum(axis=1, dtype=int)
    return [int(pixel) for pixel in np.where(number == 1, bits.argmax(axis=1), -np.minimum(number, 1) - 1)]


def _values(codes: Array, pixel: Array) -> Array:
    """Return the values of one pixel a call (calls,) in codes (calls, 2, 128)."""
    which, shift = pixel.clip(min=0) >> 3, 7 - (pixel.clip(min=0) & 7)
    one, neither = ((codes[np.arange(len(codes)), plane, which] >> shift) & 1 for plane in (0, 1))
    return np.where(pixel < 0, UNKNOWN, np.where(neither, NOT_BINARY, one)).astype(np.uint8)


def order_of(changed: list[int]) -> tuple[str, int, Array]:
    """Return the order of the pixels that changed, where it began, and the pixel that each call drew (-1: unknown).

    A pixel that is drawn as it was before does not show; the others tell the order. Below 0, `offset` is the number of
    calls before the first that draws.
    """
    observed = np.array([*changed, -1])
    steps = np.flatnonzero(observed != -1)
    if not steps.size:
        return "none", -1, observed
    if (observed >= -1).all():
        for name, ranks in _RANKS.items():
            offsets = np.unique(ranks[observed[steps]] - steps)
            if offsets.size == 1:
                places = np.arange(len(observed)) + offsets[0]
                pixels = np.argsort(ranks)[places.clip(0, PIXELS - 1)]
                return name, int(offsets[0]), np.where((places >= 0) & (places < PIXELS), pixels, -1)
    return "other", -1, observed.clip(min=-1)


class Frames:
    """The calls of one model in one cell, as segments."""

    def __init__(self, stand_in: StandIn | None) -> None:
        self._stand_in = stand_in
        self._segment: Segment | None = None
        self._segments: list[Segment] = []
        self.calls = self.jumps = self.left_out = 0
        self._kept = self._outputs = 0

    def see(self, frames: Array) -> tuple[bool, Array | None]:
        """Note the input of a call (n, 1024); return whether a new segment begins and the stand-in's answer, if any."""
        code, images = _code(frames[:_MOST_IMAGES]), len(frames)
        segment = self._segment
        goes_on = segment.add(code) if segment is not None and segment.images == images else None
        if segment is None or goes_on is None:
            self.interrupt()
            segment = self._segment = Segment(self.calls, images)
            goes_on = segment.add(code)
        self.calls += 1
        self.jumps += not goes_on
        stands_in = self._stand_in if goes_on and segment.is_generation() else None
        return not goes_on, stands_in.table(self.calls - 1, images) if stands_in else None

    def note(self, outputs: Array | None) -> None:
        """Note what the model itself returned to the last call (n, 1024); None where it is no image."""
        segment = self._segment
        if segment is None or outputs is None or len(outputs) != segment.images:
            self._segment = None  # it returns something else than a number a pixel
        elif self._outputs < _MOST_OUTPUTS:
            segment.outputs[self.calls - 1] = np.array(outputs[:_MOST_IMAGES], np.float32)
            self._outputs += len(segment.outputs[self.calls - 1])

    def interrupt(self) -> None:
        """End what goes on. The model was trained: the same input once more is no step of a generation."""
        segment, self._segment = self._segment, None
        if segment is not None and segment.linked and len(segment.codes) >= _LEAST_CALLS:
            self._kept += len(segment.codes) * len(segment.codes[0])
            if self._kept <= _MOST:
                self._segments.append(segment)
            else:
                self.left_out += 1

    def generations(self) -> list[range]:
        """Return the numbers of the calls that made images."""
        return [range(segment.first, segment.first + len(segment.codes)) for segment in self._segments]

    def close(self) -> tuple[list[dict[str, Any]], dict[str, Array]]:
        """Return the streams that go alike as runs, the largest first, and the arrays of that one, a column a stream.

        `pixel` is (calls,), `drawn` and `probability` are (calls, streams). `images` of a run are all that its calls
        had, also those beyond the first 16, which alone are looked at.
        """
        self.interrupt()
        alike: dict[tuple[Any, ...], list[Stream]] = {}
        images: dict[tuple[Any, ...], int] = {}
        for segment in self._segments:
            for stream in segment.streams(self._stand_in):
                key = (stream.order, stream.offset, len(stream.pixel), stream.pixel.tobytes())
                alike.setdefault(key, []).append(stream)
                images[key] = images.get(key, 0) + 1
            images[key] += max(0, segment.images - _MOST_IMAGES)
        keys = sorted(alike, key=lambda key: -images[key])
        runs = [_run(alike[key][0], images[key]) for key in keys]
        return runs, _side_by_side(alike[keys[0]][:_MOST_IMAGES]) if keys else {}


def _run(stream: Stream, images: int) -> dict[str, Any]:
    return {
        "calls": len(stream.pixel),
        "images": images,
        "order": stream.order,
        "offset": stream.offset,
        "stood_in": stream.stood_in,
    }


def _side_by_side(streams: list[Stream]) -> dict[str, Array]:
    return {
        "pixel": streams[0].pixel.astype(np.int16),
        "drawn": np.stack([stream.drawn for stream in streams], axis=1),
        "probability": np.stack([stream.probability for stream in streams], axis=1),
    }
