"""Trains or loads models in confined children and scores what they return: each training made once, whoever asks.

A child gets the script, the data without what is held out, and a share of the GPU. When it says that the training is
over it gets the held-out inputs, and has little time left; its raw outputs are scored here as they come.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from graders.engine import setting
from graders.engine.evidence import lacking
from graders.engine.rehearsals import REHEARSALS
from graders.engine.session import SAMPLES, SCORING, SPARE, Session
from graders.errors import Fault, UsageError
from graders.execute.paths import timed
from graders.metrics import digest
from graders.metrics.held import Held
from graders.metrics.limits import MOST_CANDIDATES, WEIGHTS
from graders.metrics.scripts import Cells, archives, calls_of, constants, folders, trains, with_settings
from graders.metrics.sources import PACKED
from graders.model import Assignment, Evidence, Experiment, Failure, Item, Json, Slice, SourceFile, Submission, Tier
from graders.notebook import Program
from graders.notebook.cells import clean, without_magics
from graders.probes import wire
from graders.sandbox.limits import Limits
from graders.sandbox.nursery import Nursery
from graders.store import Store

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
BUDGET = 30 * 60.0  # seconds of a training
_LABS = {"torch": "graders.metrics.torch_lab", "tensorflow": "graders.metrics.tensorflow_lab"}
_LATER = {  # what the first optimizer imports, or scripts do
    "torch": ("torch._dynamo",),
    "tensorflow": ("PIL.JpegImagePlugin", "matplotlib.pyplot", "tensorflow.python.ops.numpy_ops.np_config"),
}
_EVERY = 0.5  # seconds between two points of a curve at least
_MOST_WEIGHTS = 60 << 20  # bytes of handed-in weights that an order carries
_MEMORY, _SCRATCH, _FILES = 24 << 10, 2 << 10, 200_000  # names: an archive of handout A's images is unpacked there
_FRAMES, _FRAME_BYTES = 20_000, 4 << 30  # of which none is large
Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Wanted:
    """What is wanted of one submission: its code, the slices of the classes by item, and weights that it brought."""

    submission: Submission
    program: Program
    slices: Mapping[str, Slice]
    weights: Callable[[Sequence[str]], Mapping[str, bytes]]


def silent(*_: str) -> None:
    """Say nothing."""


def studio_nursery(framework: str, level: str, devices: Sequence[str], budget: float, threads: int) -> Nursery:
    """Return a nursery whose children train for so many seconds each."""
    clock = budget + SCORING + SPARE
    limits = Limits(
        cpu_seconds=int(clock * (threads + 4)),  # the clock decides: a driver's own threads compute as well
        wall_seconds=clock,
        memory_mb=_MEMORY,
        scratch_mb=_SCRATCH,
        scratch_files=_FILES,
        frame_bytes=_FRAME_BYTES,
        frames=_FRAMES,
        processes=256,
    )
    modules = ("numpy", "numpy.random", "PIL.Image", "safetensors.numpy", "pyseccomp", "graders.metrics.child")
    return Nursery(
        (*modules, "graders.probes.runner", _LABS[framework], *_LATER[framework]), level, limits, tuple(devices)
    )


@dataclass
class Studio:
    """Trains for one class. `share` is of the GPU's memory, `threads` of a processor's, for each of those at work."""

    assignment: Assignment
    store: Store
    nursery: Nursery
    seed: int
    surroundings: Json
    held: Held
    device: str = "cpu"
    budget: float = BUDGET
    share: float = 1.0
    threads: int = 1
    handed_out: Mapping[str, str] = field(default_factory=dict)
    say: Say = silent

    def measure(self, wanted: Wanted, item: Item) -> tuple[Evidence, str, tuple[str, ...]]:
        """Return the evidence of a metric item, its key, and lines for the report.

        It is that of handed-in weights that load, else of a training.
        """
        evidence, key = self._loaded(wanted, item)
        if key:
            return evidence, key, ()
        ended = evidence.experiments.get("ended", Experiment())
        reason = evidence.fault or ended.failure or evidence.failure
        notes = (f"{item.id}: no weights that were handed in could be used ({reason})",) if reason else ()
        return (*self._trained(wanted, item), notes)

    # What is to be done --------------------------------------------------------------------------------------------

    def _loaded(self, wanted: Wanted, item: Item) -> tuple[Evidence, str]:
        """Return the evidence of weights that were handed in, with the key "" where there are none or none fit."""
        sizes = {file.name: file.size for file in wanted.submission.files if PurePosixPath(file.name).suffix in WEIGHTS}
        sizes = {name: size for name, size in sizes.items() if self._is_of(item, name)}
        names = sorted(sizes, key=lambda name: ("best" not in name.lower(), name))[:MOST_CANDIDATES]
        names = [name for at, name in enumerate(names) if sum(sizes[one] for one in names[: at + 1]) <= _MOST_WEIGHTS]
        targets = self._targets(wanted, [item]) if names else []
        if not targets:
            return Evidence({}), ""
        digests = [file.sha256 for name in names for file in wanted.submission.files if file.name == name]
        order = self._order(wanted, targets, item, names)
        evidence, key = self._made(wanted, order, digests, lambda: wanted.weights(names))
        return (evidence, key) if any(name.startswith("scores ") for name in evidence.experiments) else (evidence, "")

    def _is_of(self, item: Item, name: str) -> bool:
        """Return whether a file may hold an item's weights: not those that the course handed out.

        Where others have the same class, its name tells whose weights it holds.
        """
        plain, around = _plain(name), REHEARSALS.get(self.assignment.slug)
        if around and around.weights and plain.startswith(_plain(PurePosixPath(around.weights).stem)):
            return False
        metrics = [(one, one.metric) for one in self.assignment.items if one.metric and one.metric.files]
        if item.id not in [one.id for one, _ in metrics]:
            return True
        return [one.id for one, metric in metrics if any(word in plain for word in metric.files)] == [item.id]

    def _trained(self, wanted: Wanted, item: Item) -> tuple[Evidence, str]:
        items = [one for one in self.assignment.items if one.tier is Tier.METRIC and one.metric]
        targets = self._targets(wanted, items)
        if not targets:
            return self._nothing("no class that could be trained was found in the code")
        return self._made(wanted, self._order(wanted, targets, item, ()), [], dict)

    def _nothing(self, why: str) -> tuple[Evidence, str]:
        evidence, key = Evidence({}, Failure("missing", why)), f"nothing to train: {why}"
        self.store.keep(key, evidence)
        return evidence, key

    def _targets(self, wanted: Wanted, items: Sequence[Item]) -> list[dict[str, Json]]:
        """Return what is asked of a child for each item whose class the student wrote."""
        cells, targets = self._cells(wanted), []
        for item in items:
            assert item.metric is not None
            names = [name for name in (item.metric.encoder, item.metric.model) if name]
            classes = [found for name in names if (found := self._class(wanted, name, cells))]
            if len(classes) == len(names):
                *before, last = classes
                how = {"score": item.metric.score, "training": item.metric.training}
                targets.append({"item": item.id, **how, "before": before, **last})
        return targets

    def _class(self, wanted: Wanted, item_id: str, cells: Cells) -> dict[str, Json]:
        """Return the class that the student wrote for an item, and how it is built; nothing where there is none."""
        piece = wanted.slices.get(item_id)
        name = piece.found.get(item_id, "") if piece else ""
        if not piece or not name:
            return {}
        order = wire.pack_order(wire.Order(self.assignment.slug, item_id, 0, piece))[0]
        return {"class": name, "calls": calls_of(cells, name), "constants": constants(cells), "order": order}

    def _cells(self, wanted: Wanted) -> Cells:
        """Return what is run: the main file, or the training that was handed out, as the student has it.

        A notebook that trains is its own training.
        """
        if not (script := self._script(wanted)):
            return _own_cells(wanted)
        text = _modules(wanted, self.handed_out).get(script)
        if text is None:
            raise Fault(f"{script} is not in student_template/{self.assignment.slug}, where what is handed out belongs")
        return [(script, clean(text))]

    def _script(self, wanted: Wanted) -> str:
        """Return the name of the handed-out training that imports what is handed in, "" where the latter is run."""
        name = next((item.metric.script for item in self.assignment.items if item.metric and item.metric.script), "")
        main = PurePosixPath(wanted.program.file)
        return "" if main.name == name or (main.suffix == ".ipynb" and trains(_own_cells(wanted))) else name

    def _modules(self, wanted: Wanted) -> dict[str, str]:
        """Return the scripts around what is run; what the handed-out training imports has the name that it asks for."""
        found = _modules(wanted, self.handed_out)
        file = _main(wanted)
        if file is None or not self._script(wanted):
            return found
        if file.name.endswith(".py"):
            return {**found, self.assignment.files["code"]: clean(file.text or "")}
        return {self.assignment.files["code"]: _sliced(wanted), **_written(wanted), **found}

    def _order(self, wanted: Wanted, targets: list[dict[str, Json]], item: Item, weights: Sequence[str]) -> Json:
        assert item.metric is not None
        cells, lacking_names = with_settings(self._cells(wanted), item.metric.settings)
        return {
            "serve": "graders.metrics.child",
            "lab": _LABS[self.assignment.framework],
            "device": self.device,
            "seed": int(setting.hashed(f"metric {self.seed}".encode())[:8], 16),
            "cells": [] if weights else cells,
            "settings": lacking_names,
            "file": self._script(wanted) or PurePosixPath(wanted.program.file).name,
            "links": self._links(wanted, cells),
            "weights": list(weights),
            "budget": self.budget,
            "every": max(_EVERY, self.budget / SAMPLES),
            "targets": targets,
        }

    def _links(self, wanted: Wanted, cells: Cells) -> dict[str, str]:
        """Return where a script looks for its data: path -> what is laid there."""
        from graders.execute import links

        if not self.held.targets:
            return dict.fromkeys(archives(cells), PACKED)
        laid = links({"cells": [{"cell_type": "code", "source": source} for _, source in cells]}, self.held.targets)
        data = self.held.targets.get("data", "")
        return {**dict.fromkeys(folders(cells) if data else (), data), **laid}

    # Making it, once -----------------------------------------------------------------------------------------------

    def _made(
        self, wanted: Wanted, order: dict[str, Json], digests: Sequence[str], weights: Callable[[], Mapping[str, bytes]]
    ) -> tuple[Evidence, str]:
        modules = self._modules(wanted)
        around = [order, digests, self.held.digest, self.surroundings, self.device, digest()]
        parts = [f"{name}\n{text}".encode(errors="replace") for name, text in sorted(modules.items())]
        key = setting.hashed(b"metric", json.dumps(around, sort_keys=True).encode(errors="replace"), *parts)
        with self.store.turn(key):
            if (known := self.store.evidence(key)) is not None:
                return known, key
            files = {**{name: text.encode(errors="replace") for name, text in modules.items()}, **weights()}
            say = lambda line: self.say(wanted.submission.id, line)  # noqa: E731 - one line of its own
            evidence = Session(self, order, files, say).run()
            code = "\n".join([*(source for _, source in order["cells"]), *modules.values()])
            if fault := _fault(evidence, code):
                return replace(evidence, fault=fault), ""
            self.store.keep(key, evidence)
            return evidence, key


def _plain(name: str) -> str:
    """Return the letters and digits of a file's name."""
    return re.sub(r"[^a-z0-9]", "", PurePosixPath(name).name.lower())


def _main(wanted: Wanted) -> SourceFile | None:
    return next((file for file in wanted.submission.files if file.name == wanted.program.file), None)


def _own_cells(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the main file as it runs: its places and sources."""
    from graders.execute import notebook_of

    file = _main(wanted)
    if file is None:
        return []
    if not file.name.endswith(".ipynb"):
        return [(PurePosixPath(file.name).name, clean(file.text or ""))]
    cells = enumerate(notebook_of(file)[0]["cells"], start=1)
    return [(f"cell {at}", without_magics(timed(one["source"]))) for at, one in cells if one["cell_type"] == "code"]


def _sliced(wanted: Wanted) -> str:
    """Return what the classes of a notebook need of it, as a script."""
    sources = [one.source for piece in wanted.slices.values() for one in piece.statements]
    return "\n".join(dict.fromkeys(sources)) + "\n"


def _written(wanted: Wanted) -> dict[str, str]:
    """Return the modules that a notebook writes and that its classes need, by the names of their files."""
    modules = {name: entries for piece in wanted.slices.values() for name, entries in piece.modules.items()}
    return {f"{name.replace('.', '/')}.py": "\n".join(one.source for one in modules[name]) + "\n" for name in modules}


def _modules(wanted: Wanted, handed_out: Mapping[str, str]) -> dict[str, str]:
    """Return the scripts that lie beside the main file: the student's own, else those that were handed out."""
    folder = PurePosixPath(wanted.program.file).parent
    found = {}
    for file in wanted.submission.files:
        path = PurePosixPath(file.name)
        if path.suffix == ".py" and file.text is not None and not path.is_absolute() and ".." not in path.parts:
            inside = path.relative_to(folder) if path.is_relative_to(folder) else path
            found[str(inside)] = file.text
    return {**handed_out, **found}


def _fault(evidence: Evidence, code: str) -> str:
    if evidence.fault:
        return evidence.fault
    failures = [one.failure for one in evidence.experiments.values() if one.failure]
    return next(filter(None, (lacking(failure, code) for failure in failures)), "")


def budget_seconds(text: str) -> float:
    """Return the seconds of a budget as "90s", "30m" or "2h"; raises UsageError for anything else.

    >>> budget_seconds("30m"), budget_seconds("1.5h")
    (1800.0, 5400.0)
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smh]?)", text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if seconds < 1:
        raise UsageError(f"--budget {text}: no time; give it as 90s, 30m or 2h")
    return seconds


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
