"""One child that trains: what it said so far, and the scores of what it returned. Every byte of it is hostile."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from graders.engine.evidence import failure_of
from graders.errors import Fault
from graders.execute.supervise import folders
from graders.metrics.held import Held
from graders.metrics.limits import CHUNK, MOST_CANDIDATES
from graders.metrics.scores import SCORERS, Asked, Unfit
from graders.model import Evidence, Experiment, Failure, Json
from graders.probes import wire
from graders.sandbox import frames
from graders.sandbox.fork import Reins
from graders.sandbox.limits import Equipment, given_at
from graders.sandbox.nursery import Nursery

SCORING, SPARE = 300.0, 60.0  # seconds for asking all candidates; over the budget, for start and end
SAMPLES = 100  # points of a curve at most
_SHOWN = 10  # images with their reconstructions
_OWN_KINDS = ("finished", "budget", "failed", "loaded")


class Trainer(Protocol):
    """What a child trains with."""

    nursery: Nursery
    held: Held
    budget: float
    share: float
    threads: int


class Session:
    """One child: what it said so far, and the scores of what it returned."""

    def __init__(
        self, trainer: Trainer, order: dict[str, Json], files: Mapping[str, bytes], say: Callable[[str], None]
    ):
        self.trainer, self.say, self.files = trainer, say, files
        (place,) = given_at(trainer.nursery.level, [str(trainer.held.folder)])
        self.tops = folders(order["links"])
        own = [*self.tops, "/tmp"] if trainer.nursery.level == "full" else []  # what the child has to itself
        more = {"data": place, "share": trainer.share, "threads": trainer.threads, "folders": own}
        self.order = {**order, **more, "files": {name: len(content) for name, content in files.items()}}
        self.scorers = {target["item"]: SCORERS[target["score"]] for target in order["targets"]}
        self.started = time.monotonic()
        self.begun = False
        self.ended: Experiment | None = None
        self.reins = Reins()
        self.timer: threading.Timer | None = None
        self.scores: dict[tuple[str, int], _Scores] = {}
        self.curves: dict[str, list[tuple[float, float]]] = {}
        self.pictures: dict[str, NDArray[np.uint8]] = {}

    def run(self) -> Evidence:
        """Run the child to its end and return what was measured."""
        ours, theirs = socket.socketpair()
        equipment = Equipment((theirs.fileno(),), tuple(self.tops), (str(self.trainer.held.folder),))
        self.inputs = ours
        try:
            blob = b"".join(self.files.values())
            ended, broken = self.trainer.nursery.run(self.order, blob, self._said, equipment, self.reins)
        except Fault as fault:
            return Evidence({}, fault=str(fault))
        finally:
            self._limit(None)
            ours.close()
            theirs.close()
        failure = failure_of(ended, broken, self.trainer.nursery.limits.cpu_seconds)
        seconds = round(time.monotonic() - self.started, 3)
        if not self.begun:
            return Evidence({}, fault=f"the training could not begin: {_last(ended.output)}", seconds=seconds)
        return Evidence(self._experiments(), failure, "", ended.output, seconds)

    def _experiments(self) -> dict[str, Experiment]:
        found = {f"scores {item} {number}": one.experiment() for (item, number), one in sorted(self.scores.items())}
        for item, points in self.curves.items():
            seconds, values = zip(*points, strict=True)
            found[f"curve {item}"] = Experiment({}, {"seconds": np.array(seconds), "score": np.array(values)})
        found |= {f"pictures {item}": Experiment({}, {"shown": pixels}) for item, pixels in self.pictures.items()}
        return {**found, **({"ended": self.ended} if self.ended else {})}

    # What the child says, all of it hostile -------------------------------------------------------------------------

    def _said(self, header: Mapping[str, Any], blob: bytes) -> None:
        if header.get("begun") is True and not self.begun:
            self.begun = True
            self._limit(self.trainer.budget + SPARE)
        elif isinstance(line := header.get("line"), str):
            self.say(line[:200])
        elif isinstance(ended := header.get("trained"), dict):
            if self.ended is None:
                self.ended = _ended(ended, self.order["settings"])
                self._hand_out()
        else:
            kind, experiment = wire.unpack(header, blob)
            values = experiment.values
            item, number, start = (values.get(name) for name in ("item", "candidate", "start"))
            known = isinstance(item, str) and item in self.scorers
            if known and type(number) is int and type(start) is int and 0 <= number < MOST_CANDIDATES:
                self._returned(kind, str(item), number, start, experiment)

    def _limit(self, seconds: float | None) -> None:
        """End the child in so many seconds, None for no limit, whatever was said before."""
        if self.timer:
            self.timer.cancel()
        self.timer = threading.Timer(seconds, self.reins.end) if seconds else None
        if self.timer:
            self.timer.daemon = True
            self.timer.start()

    def _hand_out(self) -> None:
        """Send the held-out inputs, and give the child a bounded time from now on."""
        self._limit(SCORING)
        held = self.trainer.held
        arrays = {"inputs": np.ascontiguousarray(held.asked.inputs), "hints": np.ascontiguousarray(held.hints)}
        self.inputs.settimeout(SPARE)
        with contextlib.suppress(OSError):  # it has ended, or does not listen: then it is not scored
            frames.send(self.inputs, {}, save(arrays))

    def _returned(self, kind: str, item: str, number: int, start: int, experiment: Experiment) -> None:
        held = self.trainer.held
        asked = held.sample if kind == "curve" else held.asked
        if (
            kind not in ("curve", "outputs")
            or not 0 <= start < len(asked.inputs)
            or (kind == "outputs") != bool(self.ended)
        ):
            return
        part, failure = asked.part(slice(start, start + CHUNK)), experiment.failure
        scored: Mapping[str, NDArray[np.float64]] = {}
        outputs = experiment.arrays.get("outputs")
        try:
            if failure is None and outputs is None:
                raise Unfit("no outputs")
            scored = {} if outputs is None else self.scorers[item](part, outputs)
        except Unfit as unfit:
            failure = Failure("outputs", str(unfit))
        if kind == "curve":
            if scored and np.isfinite(scored["score"]).all() and len(self.curves.get(item, ())) < SAMPLES:
                point = (round(time.monotonic() - self.started, 2), float(scored["score"].mean()))
                self.curves.setdefault(item, []).append(point)
            return
        name = str(experiment.values.get("name", ""))[:100]
        into = self.scores.setdefault((item, number), _Scores(name, held.controls))
        into.add(start, scored, failure)
        if scored and start == 0 and item not in self.pictures and outputs is not None:
            real = np.flatnonzero(~held.controls[: len(part.inputs)])[:_SHOWN]
            if rows := _rows(part.part(real), np.asarray(outputs, np.float64)[real]):
                self.pictures[item] = np.stack(rows)


def _rows(part: Asked, outputs: NDArray[Any]) -> list[NDArray[np.uint8]]:
    """Return images (N, H, W, 3) as they were and as they came back; nothing where the outputs are no images.

    Those in [-1, 1] come as they are, with the noise that was asked to be taken off, and without it.
    """
    if part.inputs.dtype == np.uint8 and outputs.shape == part.inputs.transpose(0, 3, 1, 2)[:, :3].shape:
        return [part.inputs, _pixels(outputs)]
    if outputs.shape == part.inputs.shape == part.answers.shape:
        return [_pixels((planes + 1) / 2) for planes in (part.answers, part.inputs, outputs)]
    return []


def _pixels(planes: NDArray[Any]) -> NDArray[np.uint8]:
    """Return planes (N, 3, H, W) of 0 to 1 as images."""
    return np.asarray((np.nan_to_num(planes).clip(0, 1) * 255).transpose(0, 2, 3, 1), np.uint8)


class _Scores:
    """The scores of one candidate, NaN where nothing came."""

    def __init__(self, name: str, controls: NDArray[np.bool_]) -> None:
        self.name, self.controls = name, controls
        self.failure: Failure | None = None
        self.arrays: dict[str, NDArray[np.float64]] = {"score": np.full(len(controls), np.nan)}

    def add(self, start: int, scored: Mapping[str, NDArray[np.float64]], failure: Failure | None) -> None:
        """Take the scores of some inputs, once each."""
        self.failure = self.failure or failure
        for name, values in scored.items():
            whole = self.arrays.setdefault(name, np.full(len(self.controls), np.nan))
            place = whole[start : start + len(values)]
            place[:] = np.where(np.isnan(place), values, place)

    def experiment(self) -> Experiment:
        """Return all as an experiment."""
        return Experiment({"name": self.name}, {**self.arrays, "control": self.controls}, self.failure)


def _ended(document: Mapping[str, Any], settings: Sequence[str]) -> Experiment:
    """Return how a training ended, as far as the child's word has the form of one."""
    how, seconds = document.get("how"), document.get("seconds")
    failure = document.get("failure")
    values = {
        "how": how if how in _OWN_KINDS else "failed",
        "seconds": seconds if isinstance(seconds, float) and np.isfinite(seconds) else 0.0,
        "settings": list(settings),
    }
    if not isinstance(failure, dict):
        return Experiment(values)
    kind, message, where = (wire.clip(str(failure.get(name, ""))) for name in ("kind", "message", "where"))
    return Experiment(values, failure=Failure(kind, message, where))


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"
