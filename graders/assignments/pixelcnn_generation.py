"""Handout A, C9: what a loop that generates images must show. Any noise and any threshold will do that draw fairly."""

from __future__ import annotations

import itertools

import numpy as np

from graders import checks
from graders.assignments.pixelcnn_calls import Call, Images
from graders.assignments.run_calls import Array
from graders.model import Outcome

_SIDE = 32
_PIXELS = _SIDE * _SIDE
_IMAGES = 10
_SIGMAS = 4.9  # two-sided 1e-6
_LEAST = 3  # groups of pixels that must show the noise; without it none does
_BINS = 5
_WANTED = {
    "order": "one prediction a pixel, in raster order, to the last pixel",
    "feedback": "predictions that see the pixels generated before",
    "probability": "pixels that are white the more often the higher their predicted probability",
    "noise": "fresh noise for every pixel of every image",
    "binary": "pixels that are 0 or 1 when the next one is predicted",
    "model": "a model that was trained",
    "count": f"{_IMAGES} images",
}


def none(found: str) -> list[Outcome]:
    """Return the outcomes of a notebook without a generation."""
    return [checks.outcome(name, False, wanted, found) for name, wanted in _WANTED.items()]


def outcomes(call: Call, trained: bool, images: Images) -> list[Outcome]:
    """Return the outcomes of one generation; `trained` says of the model's weights that they were."""
    runs = [run for run in call.rows("runs") if isinstance(run, dict)]
    pixel, drawn, p = _arrays(call)
    found = {
        "order": _order(runs, call, images),
        "feedback": ""
        if any(run.get("order") in ("raster", "columns", "reversed") for run in runs)
        else _feedback(runs),
        "probability": _probability(p[_known(p, drawn)], drawn[_known(p, drawn)]),
        "noise": _noise(pixel, drawn, p),
        "binary": "" if drawn.size and not (drawn == 2).any() else f"{int((drawn == 2).sum())} pixels that are neither",
        "model": "" if trained else "one that was not",
        "count": _count(runs),
    }
    return [checks.outcome(name, not why, _WANTED[name], why or "so it is") for name, why in found.items()]


def _arrays(call: Call) -> tuple[Array, Array, Array]:
    """Return pixel (calls,), drawn and probability (calls, n), empty where they do not fit together."""
    pixel, drawn, p = (call.arrays.get(name) for name in ("pixel", "drawn", "probability"))
    if (
        pixel is None
        or drawn is None
        or p is None
        or drawn.shape != p.shape
        or p.ndim != 2
        or pixel.shape != p.shape[:1]
    ):
        return np.zeros(0, int), np.zeros((0, 1), int), np.zeros((0, 1))
    return pixel.astype(int), drawn.astype(int), p.astype(np.float64)


def _order(runs: list[dict[str, object]], call: Call, images: Images) -> str:
    whole = [run for run in runs if _ends(run)]
    if not whole:
        return f"order: {runs[0].get('order')}, {runs[0].get('calls')} calls" if runs else "no loop"
    given = max(int(str(run["offset"])) for run in whole)
    if not given or images.begun(call.numbers("begun"), given):
        return ""  # from an empty frame, or on from the first pixels of images of the test set
    return f"the first {given} pixels are not generated"


def _ends(run: dict[str, object]) -> bool:
    """Return whether a run goes through the pixels in raster order to the end, at most half of them being given."""
    offset, calls = run.get("offset"), run.get("calls")
    if run.get("order") != "raster" or not isinstance(offset, int) or not isinstance(calls, int):
        return False
    return offset + calls == _PIXELS and 0 <= offset <= _PIXELS // 2


def _feedback(runs: list[dict[str, object]]) -> str:
    return "predictions on an image that does not change" if runs else "no loop"


def _known(p: Array, drawn: Array) -> Array:
    return np.isfinite(p) & (drawn <= 1)


def _probability(p: Array, drawn: Array) -> str:
    """Return "" when pixels of higher probability are white more often, by bins of the probability."""
    bins = [drawn[(p >= low / _BINS) & ((p < (low + 1) / _BINS) | (low == _BINS - 1))] for low in range(_BINS)]
    shares = [(float(each.mean()), each.size) for each in bins if each.size >= 20]
    if len(shares) < 2:
        return "too few pixels to tell"
    for (low, n), (high, m) in itertools.pairwise(shares):
        if high < low - _SIGMAS * 0.5 * np.sqrt(1 / n + 1 / m):
            return f"less often: {low:.2f}, then {high:.2f}"
    apart = shares[-1][0] - shares[0][0]
    return "" if apart >= 0.3 else f"a share that grows by {apart:.2f} from the least probable to the most probable"


def _noise(pixel: Array, drawn: Array, p: Array) -> str:
    """Return "" when pixels differ that noise which is shared would make alike.

    Within a group that shares its noise, a pixel is never black where a less probable one is white.
    """
    if not p.size:
        return "no pixel to tell it by"
    known = _known(p, drawn)
    white = np.where(known & (drawn == 1), p, np.inf)  # (calls, n)
    black = np.where(known & (drawn == 0), p, -np.inf)
    groups = {
        "the pixels of a row": _groups(white, black, pixel // _SIDE),
        "the pixels of a column": _groups(white, black, pixel % _SIDE),
        "the images": int((white.min(axis=1) <= black.max(axis=1)).sum()) if p.shape[1] > 1 else _LEAST,
    }
    shared = [name for name, count in groups.items() if count < _LEAST]
    if not shared:
        return ""
    return "none" if len(shared) == len(groups) else f"noise that {shared[0]} share"


def _groups(white: Array, black: Array, group: Array) -> int:
    """Return in how many groups, of each image, a white pixel is no more probable than a black one."""
    return sum(int((white[group == g].min(axis=0) <= black[group == g].max(axis=0)).sum()) for g in np.unique(group))


def _count(runs: list[dict[str, object]]) -> str:
    number = sum(images for run in runs if isinstance(images := run.get("images"), int) and run.get("calls") != 1)
    return "" if number >= _IMAGES else f"{number}"
