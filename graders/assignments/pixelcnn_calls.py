"""Handout A, what a notebook did when it ran: the records of `graders.probes.recorder`, read with distrust.

Whatever a record holds comes from the student's process. What is not of the recorder's form counts as not there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from graders.assignments import Seen
from graders.assignments.run_calls import Array, Recorded, cut_short, ending, faults, number, records
from graders.probes.recorder_images import losses_of

_METHODS = ("load_weights", "save_weights", "fit", "evaluate", "direct", "plots")
_BYTES = 128  # of an image, 32x32 bits
_NEAR = 0.12  # the share of pixels in which two ways to scale the same image may differ; other images differ in more
_BLOCK = 2048
_SIDE = 32
_MANY = 16  # calls that make a loop
NEITHER, TRAIN, TEST = 0, 1, 2


@dataclass(frozen=True)
class Call(Recorded):
    """One record of what was done with a model."""

    @property
    def losses(self) -> Array:
        """The recomputed loss of each tested image (n,)."""
        found = self.arrays.get("losses")
        fits = found is not None and found.shape == self.numbers("tested").shape and found.dtype.kind == "f"
        return found.astype(np.float64) if found is not None and fits else np.zeros(0)

    @property
    def sizes(self) -> list[int]:
        """How many images each tested batch had."""
        return [size for size in self.rows("tested sizes") if isinstance(size, int) and 0 < size < 10**6]

    @property
    def trains(self) -> bool:
        """Whether it trained a model."""
        return self.method in ("fit", "direct") and self.number("steps") >= 1

    def passes(self) -> list[tuple[Array, Array]]:
        """Return the images and the losses of each evaluation; one that has no beginning is the whole."""
        tested, losses = self.numbers("tested"), self.losses
        starts = [at for at in self.rows("passes") if isinstance(at, int) and 0 < at < len(tested)]
        return list(zip(np.split(tested, starts), np.split(losses, starts), strict=True)) if len(losses) else []


class Run:
    """All records of one run of a notebook, in order."""

    def __init__(self, seen: Seen) -> None:
        self.calls = [Call(**vars(one)) for one in records(seen, _METHODS)]
        images: list[Array] = []
        for call in self.calls:
            fresh = call.arrays.get("images")
            if fresh is not None and fresh.ndim == 2 and fresh.shape[1] == _BYTES and fresh.dtype == np.uint8:
                images.append(fresh)
        self.images = np.concatenate(images) if images else np.zeros((0, _BYTES), np.uint8)
        self.end, arrays = ending(seen)
        self.unseen = arrays.get("unseen", np.zeros((0, _SIDE, _SIDE), np.uint8))  # images (k, 32, 32)
        self._cut_short = cut_short(seen)

    def of(self, *methods: str) -> list[Call]:
        """Return the calls by these methods."""
        return [call for call in self.calls if call.method in methods]

    @cached_property
    def pretrained(self) -> str:
        """The digest of the weights after the first file that was loaded: in the reference's run, the given ones."""
        loaded = [call.text("after") for call in self.of("load_weights") if not call.text("error")]
        return loaded[0] if loaded else ""

    def weights(self, call: Call) -> str:
        """Return what the weights of a call's model were: "untrained" or "trained".

        Loaded ones count as trained. So do those of a model that was, whose weights were set by other means since.
        """
        model, digest = call.number("model"), call.text("before")
        before = [one for one in self.calls if one.at < call.at]
        settled = [one for one in before if one.trains or one.method == "load_weights"]
        if digest in {one.text("after") for one in settled}:
            return "trained"
        initial = {one.text("before") for one in before if one.number("model") == model}
        own = any(one.number("model") == model for one in settled)
        return "trained" if own and digest and digest not in initial else "untrained"

    def loss_on(self, images: Array, call: Call) -> float:
        """Return the binary cross-entropy of what a call's model said of unseen images (k, 32, 32).

        It is computed here, from the outputs themselves. Infinite where they are not finite, NaN where there are none.
        """
        said = next((one.arrays["unseen"] for one in self.calls[call.at :] if self._shows(one, call)), None)
        if said is None or said.shape != images.shape or said.dtype.kind != "f":
            return math.nan
        return float(losses_of(said, images)[0].mean()) if np.isfinite(said).all() else math.inf

    def _shows(self, one: Call, call: Call) -> bool:
        """Return whether a record holds what the model of a call said of unseen images when its cell had ended."""
        return one.cell == call.cell and one.number("model") == call.number("model") and "unseen" in one.arrays

    def overlooked(self) -> str:
        """Return why things may have happened in the run that its records do not tell, "" if they tell all."""
        if any(number(value) > 0 for value in (self.end.get("dropped"), *(c.number("left out") for c in self.calls))):
            return "the notebook called its models more often than is recorded"
        return self._cut_short

    def unfollowed(self) -> str:
        """Return what was called in a way that is not followed, "" if nothing was."""
        calls = number(self.end.get("unfollowed"))
        if calls >= _MANY:
            return f"models or their layers are called {calls:g} times in a cell, in a way that is not followed"
        return "weights change, and no step of an optimizer is seen" if self._changed_unseen() else ""

    def _changed_unseen(self) -> bool:
        """Return whether a model's weights became others than they had ever been, between two records of it."""
        known: dict[float, set[str]] = {}
        for call in self.calls:
            seen = known.setdefault(call.number("model"), set())
            if seen and call.text("before") not in seen:
                return True
            seen |= {call.text("before"), call.text("after")}
        return False

    def faults(self) -> list[str]:
        """Return what went wrong in the recorder itself."""
        return faults(self.end)


class Images:
    """Which of the student's images are which of the reference's: of the training folder, the test folder or neither.

    A student may scale images in another way than the reference: an image is the one that it is nearest to.
    """

    def __init__(self, mine: Run, theirs: Run) -> None:
        test = _union(theirs, [call.numbers("tested") for call in theirs.of("evaluate")[:1]])
        fits = [call for call in theirs.of("fit") if call.text("before") == theirs.pretrained]
        train = _union(theirs, [call.numbers(key) for call in fits for key in ("trained", "tested")])
        self.train, self.test = len(train), len(test)
        self._mine, self._tests = mine.images, theirs.images[test]
        known = np.concatenate([train, test])
        kinds = np.repeat([TRAIN, TEST], [len(train), len(test)])
        nearest, near = _nearest(mine.images, theirs.images[known])
        self.same = np.where(near, nearest, -1)  # of each of mine: the number among the known ones
        self.kinds = np.where(near, kinds[nearest], NEITHER) if len(known) else np.zeros(len(mine.images), int)

    def known(self, numbers: Array, kind: int) -> Array:
        """Return which of the reference's images of a kind these are, each once."""
        inside = numbers[(numbers >= 0) & (numbers < len(self.kinds))]
        return np.unique(self.same[inside[self.kinds[inside] == kind]])

    def count(self, numbers: Array, kind: int) -> int:
        """Return how many of these are of a kind."""
        inside = numbers[(numbers >= 0) & (numbers < len(self.kinds))]
        return int((self.kinds[inside] == kind).sum()) + (len(numbers) - len(inside) if kind == NEITHER else 0)

    def begun(self, numbers: Array, pixels: int) -> bool:
        """Return whether one of these has the first pixels of an image of the test folder."""
        inside = numbers[(numbers >= 0) & (numbers < len(self._mine))]
        eighths = pixels // 8  # in which images are packed
        return bool(_nearest(self._mine[inside][:, :eighths], self._tests[:, :eighths])[1].any())


def _union(run: Run, arrays: list[Array]) -> Array:
    found = np.unique(np.concatenate(arrays)) if arrays else np.zeros(0, np.int64)
    return found[(found >= 0) & (found < len(run.images))]


def _nearest(mine: Array, theirs: Array) -> tuple[Array, Array]:
    """Return of each image (n, 128) the nearest of the others (m, 128), and whether that is near."""
    if not len(theirs):
        return np.zeros(len(mine), int), np.zeros(len(mine), bool)
    others = np.unpackbits(theirs, axis=1).astype(np.float32)
    nearest, near = [np.zeros(0, int)], [np.zeros(0, bool)]
    for start in range(0, len(mine), _BLOCK):
        bits = np.unpackbits(mine[start : start + _BLOCK], axis=1).astype(np.float32)
        apart = bits.sum(1)[:, None] + others.sum(1) - 2 * bits @ others.T  # (block, m) differing pixels
        nearest.append(apart.argmin(1))
        near.append(apart.min(1) <= _NEAR * bits.shape[1])
    return np.concatenate(nearest), np.concatenate(near)
