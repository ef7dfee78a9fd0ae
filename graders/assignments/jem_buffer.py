"""Handout B, C8: the replay buffer, by what it hands out: small images that are told apart by their values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders import checks
from graders.assignments import Experiments, Seen
from graders.checks import distributions
from graders.model import Experiment, Outcome

Array = NDArray[Any]
_SHAPE, _CLASSES = (4, 3, 2), 7
# Capacity, the sizes of the batches that are added, how many are asked for at once: never more than the buffer holds.
_ROOM = (40, (5, 4), 9)
_FULL = (8, (5, 6), 8)
_LARGE = (6, (3, 10), 6)
_EXACT = (7, (3, 4, 1), 7)
_CALLS = 28  # so many that an image which is never handed out is missing by chance once in a billion times
_SHARE, _DEFAULT = 0.3, 0.05  # the chance of a new sample, and the skeleton's
_MANY, _REPEATS = 32, 40


class SampleBuffer:
    """Keeps the latest samples with their labels; hands out each new with probability p_new (Section 6.2.1)."""

    arguments = ("sample_shape", "n_class", "max_samples", "dtype")

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Fill buffers of several sizes and sample from them; count new samples; sample from an empty one."""
        images = np.abs(draw.normal("images", 44, *_SHAPE)) % 1
        ids = draw.integers("ids", 0, _CLASSES, 44).astype(np.int32)

        def filled(room: int | None, *sizes: int) -> Any:
            more = {} if room is None else {"max_samples": room}
            buffer = student.build("C8", sample_shape=_SHAPE, n_class=_CLASSES, **more)
            ends = np.cumsum([0, *sizes])
            for start, end in itertools.pairwise(ends):
                buffer.add_to_buffer(lab.constant(images[start:end]), lab.constant(ids[start:end]))
            return buffer

        def kept(room: int, sizes: tuple[int, ...], number: int) -> Any:
            buffer = filled(room, *sizes)
            return _joined([buffer.sample_from_buffer(number, 0.0) for _ in range(_CALLS)], number)

        def repeated(repeats: int, *share: float) -> Any:
            buffer = filled(None, 44)
            return _joined([buffer.sample_from_buffer(_MANY, *share) for _ in range(repeats)], _MANY)

        def empty(*share: float) -> Any:
            buffer = filled(None)
            return _joined([buffer.sample_from_buffer(_MANY, *share) for _ in range(3)], _MANY)

        def changed() -> Any:
            buffer = filled(None, 8)
            for _ in range(4):
                _spoil(buffer.sample_from_buffer(8, 0.0))
            return _joined([buffer.sample_from_buffer(8, 0.0) for _ in range(_CALLS)], 8)

        return {
            "room": lambda: {"added images": images, "added ids": ids, **kept(*_ROOM)},
            "full": lambda: kept(*_FULL),
            "large": lambda: kept(*_LARGE),
            "exact": lambda: kept(*_EXACT),
            "changed": changed,
            "share": lambda: repeated(_REPEATS, _SHARE),
            "share again": lambda: repeated(_REPEATS, _SHARE),
            "default share": lambda: repeated(_REPEATS),
            "default share again": lambda: repeated(_REPEATS),
            "all new": lambda: repeated(6, 1.0),
            "empty": lambda: empty(0.0),
            "empty by default": empty,
        }

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Tell by their values which samples come from the buffer, and which are new."""
        held = theirs["room"]
        yield checks.all_of("tuple", *(_pair(mine[name]) for name in ("room", "share", "empty")))
        yield checks.all_of(
            "append", _holds("append", mine["room"], held, 0, 9), _holds("append", mine["changed"], held, 0, 8)
        )
        yield checks.all_of(
            "oldest",
            _holds("oldest", mine["full"], held, 3, 11),
            _holds("oldest", mine["large"], held, 7, 13),
            _holds("oldest", mine["exact"], held, 1, 8),
        )
        yield checks.all_of("pairs", *(_together(mine[name], held) for name in ("room", "full", "share")))
        yield checks.all_of(
            "share",
            _fresh_share(held, _SHARE, mine["share"], mine["share again"]),
            _fresh_share(held, _DEFAULT, mine["default share"], mine["default share again"]),
            _fresh_share(held, 1.0, mine["all new"]),
            _fresh_share(held, 0.0, mine["full"]),
        )
        yield _uniform("uniform", *(_fresh(mine[name], held) for name in ("share", "share again")))
        yield _empty(mine["empty"], mine["empty by default"])


def _joined(samples: list[Any], number: int) -> dict[str, Any]:
    """Return the images and labels of several calls, and the shapes that any of them had."""
    pairs = [sample if isinstance(sample, (tuple, list)) else (sample,) for sample in samples]
    columns = [[np.asarray(one) for one in column] for column in zip(*pairs, strict=True)]
    shapes = sorted({str([list(one.shape) for one in sample]) for sample in zip(*columns, strict=True)})
    found: dict[str, Any] = {"shapes": shapes, "number": number, "parts": len(columns)}
    for name, column in zip(("images", "ids"), columns, strict=False):
        found[name] = np.concatenate(column)
    return found


def _spoil(sample: Any) -> None:
    """Overwrite what was handed out, where that can be done at all."""
    for part in sample:
        for one in part if isinstance(part, (list, tuple)) else [part]:
            if isinstance(one, np.ndarray) and one.flags.writeable:
                one[...] = 0


def _pair(mine: Experiment) -> Outcome:
    expected = f"images of shape (n_samples, {', '.join(map(str, _SHAPE))}) and labels of shape (n_samples,)"
    if failed := checks.absent("tuple", mine, expected, "images", "ids"):
        return failed
    number = mine.values.get("number")
    told = mine.values.get("parts") == 2 and mine.values.get("shapes") == [str([[number, *_SHAPE], [number]])]
    images, ids = mine.arrays["images"], mine.arrays["ids"]
    passed = told and images.shape[1:] == _SHAPE and ids.shape == images.shape[:1]
    said = "as expected" if passed else f"{mine.values.get('parts')} parts, of shapes {mine.values.get('shapes')}"
    return checks.outcome("tuple", passed, expected, said)


def _read(mine: Experiment) -> tuple[Array, Array] | None:
    """Return images (N, values) and labels (N,), None where there are not as many of both."""
    images, ids = mine.arrays.get("images"), mine.arrays.get("ids")
    if mine.failure or images is None or ids is None or images.ndim < 2 or not 0 < len(images) == ids.size:
        return None
    if images[0].size != np.prod(_SHAPE) or len(images) > _CALLS * _MANY * 2 or not checks.finite(images):
        return None
    return images.reshape(len(images), -1).astype(np.float64), ids.reshape(-1)


def _sources(images: Array, held: Experiment) -> Array:
    """Return for each image its place among those that were added, -1 for a new one."""
    added = held.arrays["added images"].reshape(len(held.arrays["added images"]), -1)
    same = np.abs(images[:, None, :] - added[None]).max(axis=2) < 1e-5
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


def _nothing(name: str, mine: Experiment, expected: str) -> Outcome:
    return checks.absent(name, mine, expected, "images", "ids") or checks.outcome(
        name, False, expected, "images and labels that do not match in number or size"
    )


def _holds(name: str, mine: Experiment, held: Experiment, first: int, end: int) -> Outcome:
    """Check that with p_new = 0 the samples are the images from `first` to `end`, each of them sooner or later."""
    expected = "samples of the images that the buffer should hold, each of them sooner or later"
    if (read := _read(mine)) is None:
        return _nothing(name, mine, expected)
    sources = _sources(read[0], held)
    if np.any(sources < 0):
        return checks.outcome(name, False, expected, "images that were not added, although p_new is 0")
    found, wanted = set(sources.tolist()), set(range(first, end))
    if found - wanted:
        return checks.outcome(name, False, expected, f"images that should be gone ({len(found - wanted)})")
    missing = len(wanted - found)
    return checks.outcome(name, not missing, expected, f"{missing} of them never come" if missing else "as expected")


def _together(mine: Experiment, held: Experiment) -> Outcome:
    expected = "each image with the label that it was added with"
    if (read := _read(mine)) is None:
        return _nothing("pairs", mine, expected)
    sources = _sources(read[0], held)
    old = sources >= 0
    if not old.any():
        return checks.outcome("pairs", False, expected, "no image that was added")
    wrong = int((read[1][old] != held.arrays["added ids"][sources[old]]).sum())
    return checks.outcome("pairs", not wrong, expected, f"{wrong} with another label" if wrong else "as expected")


def _fresh_share(held: Experiment, share: float, *draws: Experiment) -> Outcome:
    """Check how many samples of each call are new: a binomial number, or all or none of them."""
    expected = "each sample new with probability p_new, by a chance of its own"
    findings = []
    for mine in draws:
        if (read := _read(mine)) is None:
            return _nothing("share", mine, expected)
        new = _sources(read[0], held) < 0
        if share in (0.0, 1.0):
            findings.append("" if np.all(new == bool(share)) else f"{new.mean():.0%} new where p_new is {share:g}")
            continue
        if len(new) != _REPEATS * _MANY:
            return _nothing("share", mine, expected)
        finding = distributions.binomial(new.reshape(_REPEATS, _MANY).sum(axis=1), _MANY, share)
        findings.append(f"of the samples of many calls {finding}" if finding else "")
    return distributions.drawn("share", expected, findings)


def _fresh(mine: Experiment, held: Experiment) -> tuple[Array, Array] | None:
    """Return the new images and their labels."""
    if (read := _read(mine)) is None:
        return None
    new = _sources(read[0], held) < 0
    return read[0][new], read[1][new]


def _uniform(name: str, *draws: tuple[Array, Array] | None) -> Outcome:
    """Check the images (N, values) and labels (N,) of draws: even, no value like its neighbour, no image twice."""
    expected = "uniform noise from 0 to 1 with labels from 0 to n_class - 1, all equally likely"
    known = [draw for draw in draws if draw is not None and len(draw[0]) > _MANY]
    if len(known) < len(draws):
        return checks.outcome(name, False, expected, "too few new samples to tell, or none that can be read")
    images = np.concatenate([draw[0] for draw in known])
    twice = len(np.unique(images, axis=0)) < len(images)
    related = [_following(one) or _following(labels) for one, labels in known]
    inside = [distributions.unrelated(one.T) for one, _ in known]
    return checks.all_of(
        name,
        distributions.drawn(name, expected, [distributions.uniform(one, 0.0, 1.0) for one, _ in known]),
        distributions.drawn(name, expected, [distributions.even(labels, _CLASSES) for _, labels in known]),
        distributions.drawn(name, expected, related),
        distributions.drawn(name, expected, inside),
        checks.outcome(name, not twice, expected, "the same image several times" if twice else "as expected"),
    )


def _following(rows: Array) -> str:
    """Return what speaks against rows that have nothing to do with the ones before them."""
    return distributions.unrelated(np.stack([rows[:-1].ravel(), rows[1:].ravel()]))


def _empty(*mine: Experiment) -> Outcome:
    """Check that an empty buffer hands out as many new samples as were asked for."""
    expected = "new samples alone, as many as asked for, while nothing is in the buffer"
    reads = [_read(one) for one in mine]
    for one, read in zip(mine, reads, strict=True):
        if read is None or len(read[0]) != 3 * _MANY:
            return _nothing("empty", one, expected)
    return _uniform("empty", *reads)
