"""Runs of whole notebooks: what lies around them, in a rehearsal or in full, and each run made once.

A rehearsal is small without a change of the student's code: artificial data where the notebook looks for the real ones,
the model built small, weights that the reference has at that size; `rehearsals` says how for each assignment. It shows
that the code does what it should; it says nothing of how good a full training would be.
"""

from __future__ import annotations

import importlib.util
import json
import posixpath
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.assignments import Findings, Reader, no_findings
from graders.data.weights import reference_weights
from graders.engine import setting
from graders.engine.given import Given
from graders.engine.rehearsals import Rehearsal, rehearsal_of
from graders.errors import UsageError
from graders.model import Evidence, Experiment, Json, SourceFile
from graders.sandbox.nursery import Nursery
from graders.store import Store

if TYPE_CHECKING:
    from graders.execute import Executed, Stage


FULL_SECONDS = 8 * 3600.0  # of a run in full
CELL_SHARE = 0.5  # of the notebook's time, that one cell may take
# On a busy machine a run that was cut short and waited for a processor for so much of its time is made again, longer.
_STARVED, _LONGER = 0.1, 2.5
_CUT_SHORT = ("interrupted", "not run")
# A run in full trains a model of the real size, and may unpack and copy tens of thousands of images.
_FULL_MEMORY, _FULL_SCRATCH, _FULL_FILES = 16 << 10, 2 << 10, 200_000


def run_nursery(slug: str, level: str, devices: tuple[str, ...], full: bool, seconds: float) -> Nursery:
    """Return a nursery whose children run notebooks of an assignment for so many seconds each.

    Raises UsageError where the kernel is missing, and for an assignment whose notebooks cannot be run so.
    """
    around = rehearsal_of(slug, full)
    for name in ("ipykernel", "nbclient"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"the execute tier needs {name}, which is not installed: pip install 'graders[execute]'")
    from graders.execute import MODULES, run_limits

    modules = ("numpy", "PIL.JpegImagePlugin", f"graders.assignments.{slug}", around.recorder, *MODULES)
    limits = run_limits(seconds, _FULL_MEMORY, _FULL_SCRATCH, _FULL_FILES) if full else run_limits(seconds)
    return Nursery(modules, level, limits, devices)


def run_seconds(slug: str, wanted: float | None, full: bool) -> float:
    """Return the seconds of the clock that a notebook has."""
    return wanted or (FULL_SECONDS if full else rehearsal_of(slug).seconds)


@dataclass
class Theatre:
    """Runs notebooks of one class, each for some seconds; `given` is what runs in full read, None in rehearsals.

    `recorder` is a module to take instead of the rehearsal's; `findings` tells what a run showed beyond any item.
    """

    slug: str
    store: Store
    nursery: Nursery
    seed: int
    surroundings: Json
    seconds: float
    given: Given | None = None
    recorder: str = ""
    findings: Reader = no_findings
    _files: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def around(self) -> Rehearsal:
        """What lies around its notebooks."""
        return rehearsal_of(self.slug)

    def perform(self, file: SourceFile) -> tuple[Evidence, str]:
        """Return the evidence of a notebook's run and the key under which it and the executed notebook are kept."""
        from graders.execute import Stage, links, notebook_of

        notebook, _ = notebook_of(file)
        stage = Stage(
            self.slug,
            self.seed,
            self.files(),
            self._folders(),
            links(notebook, self.around.targets),
            None if self.given else self.around.shrink,
            self.seconds * CELL_SHARE,
            self.seconds,
            self.recorder or self.around.recorder,
        )
        key = self._key(notebook, stage)
        with self.store.turn(key):
            if (known := self.store.evidence(key)) is not None:
                return known, key
            executed = self._run(notebook, stage)
            if executed.evidence.fault:
                return executed.evidence, ""
            written = {"notebook": executed.notebook, "notes": list(executed.notes)}
            self.store.keep_file(key, json.dumps(written).encode())
            evidence = self._told(executed)
            self.store.keep(key, evidence)
            return evidence, key

    def _run(self, notebook: Mapping[str, Any], stage: Stage) -> Executed:
        from graders.execute import run

        executed = run(self.nursery, notebook, stage)
        if executed.evidence.fault:
            executed = run(self.nursery, notebook, stage)  # once more: it may have been an accident
        if _was_starved(executed):
            times = {name: getattr(stage, name) * _LONGER for name in ("cell_seconds", "total_seconds")}
            executed = run(self.nursery, notebook, replace(stage, **times))
        return executed

    def _told(self, executed: Executed) -> Evidence:
        """Return the evidence of a run with what the reports say of it: notes, findings, whether it was a rehearsal."""
        evidence = executed.evidence
        numbered = enumerate(executed.notebook["cells"], start=1)
        code = {number: cell["source"] for number, cell in numbered if cell["cell_type"] == "code"}
        try:
            found = self.findings(evidence.experiments, code)
        except Exception as error:  # whatever it is, it is ours, and no reason to lose the run
            found = Findings(seen=(f"our fault: the run could not be read: {type(error).__name__}: {error}",))
        said = {"notes": list(executed.notes), "seen": list(found.seen), "wrong": list(found.wrong)}
        cells = {**evidence.experiments["cells"].values, **said, "rehearsal": self.given is None}
        return replace(evidence, experiments={**evidence.experiments, "cells": Experiment(cells)})

    def _key(self, notebook: Mapping[str, Any], stage: Any) -> str:
        cells = [[cell["cell_type"], cell["source"]] for cell in notebook["cells"]]
        around = [stage.slug, stage.seed, stage.links, stage.shrink, stage.total_seconds, stage.recorder]
        around += [self.given.digest] if self.given else []
        text = json.dumps([cells, around, self.surroundings, self.nursery.limits.document()], sort_keys=True)
        names = sorted(stage.files)
        return setting.hashed(text.encode(), *(name.encode() for name in names), *(stage.files[n] for n in names))

    def files(self) -> Mapping[str, bytes]:
        """Return the data and weights that lie around every notebook, made once."""
        with self._lock:
            if not self._files:
                self._files = self._around(self.given.weights) if self.given else self._drawn()
            return self._files

    def _drawn(self) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory(prefix="graders-data-") as folder:
            self.around.draw(Path(folder) / "drawn", self.seed)
            files = _below(Path(folder) / "drawn", self.around.folder)
        return {**files, **self._around(self._weights())} if self.around.weights else files

    def _weights(self) -> bytes:
        """Return the reference's weights in the small size, trained when they are first asked for."""
        wanted = json.dumps([self.slug, dict(self.around.shrink), self.seed, self.surroundings], sort_keys=True)
        key = setting.hashed(b"weights", wanted.encode())
        weights = self.store.file(key)
        if weights is None:
            weights = reference_weights(self.slug, self.around.shrink, self.seed)
            self.store.keep_file(key, weights)
        return weights

    def _around(self, weights: bytes) -> dict[str, bytes]:
        """Return the weights where notebooks look for them."""
        name = self.around.weights
        return {name: weights, posixpath.join(self.around.folder, name): weights}

    def _folders(self) -> dict[str, str]:
        folders = self.given.folders if self.given else {}
        return {posixpath.join(self.around.folder, name): str(path) for name, path in folders.items()}


def unfinished(evidence: Evidence) -> str:
    """Return which cell of a whole notebook did not run to its end, "" where all did and where none was run."""
    cells = evidence.experiments.get("cells", Experiment()).values.get("cells", ())
    bad = next((cell for cell in cells if cell["status"] != "ok"), None)
    return (
        f"cell {bad['cell']}: {bad['message'] or bad['status']}; --run-limit SECONDS gives it more time" if bad else ""
    )


def _was_starved(executed: Executed) -> bool:
    """Return whether a run may have lost cells because others kept the machine busy."""
    cells = executed.evidence.experiments["cells"].values["cells"]
    starved = executed.starved_seconds > _STARVED * executed.evidence.seconds
    return starved and any(cell["status"] in _CUT_SHORT for cell in cells)


def _below(folder: Path, name: str) -> dict[str, bytes]:
    """Return the files of a folder, as they are to lie below the working folder's `name`."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {posixpath.join(name, path.relative_to(folder).as_posix()): path.read_bytes() for path in paths}
