"""Runs of whole notebooks: what lies around them, in a rehearsal or in full, and each run made once.

A rehearsal is small without a change of the student's code: artificial data where the notebook looks for the real ones,
the class of the model built small, weights that the reference has at that size. It shows that the code does what it
should; it says nothing of how good a full training would be.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.data import calligraphy
from graders.data.weights import reference_weights
from graders.engine import setting
from graders.errors import UsageError
from graders.model import Evidence, Json, SourceFile
from graders.sandbox.nursery import Nursery
from graders.store import Store


@dataclass(frozen=True)
class Rehearsal:
    """How an assignment is made small: arguments of its model, numbers of images, names below the working folder."""

    shrink: Mapping[str, int]
    train: int
    test: int
    folder: str
    weights: str


REHEARSALS = {
    # With one block, Keras 2 and Keras 3 order the weights of every right model alike.
    "pixelcnn": Rehearsal(
        {"n_resnet": 2, "n_filters": 6, "n_block": 1, "n_output": 4}, 80, 70, "pa2", "pixel_cnn_e5.h5"
    ),
}
CELL_SECONDS, TOTAL_SECONDS = 90.0, 170.0  # of a rehearsal
FULL_CELL_SECONDS, FULL_TOTAL_SECONDS = 4 * 3600.0, 8 * 3600.0


def run_nursery(slug: str, level: str, devices: tuple[str, ...], full: bool) -> Nursery:
    """Return a nursery whose children run notebooks of an assignment; raises UsageError where the kernel is missing."""
    for name in ("ipykernel", "nbclient"):
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"the execute tier needs {name}, which is not installed: pip install 'graders[execute]'")
    from graders.execute import MODULES, run_limits

    modules = ("numpy", "PIL.JpegImagePlugin", f"graders.assignments.{slug}", "graders.probes.recorder", *MODULES)
    return Nursery(modules, level, run_limits(FULL_TOTAL_SECONDS if full else TOTAL_SECONDS), devices)


@dataclass
class Theatre:
    """Runs notebooks of one class. `data` is the folder of the real images, for runs in full."""

    slug: str
    store: Store
    nursery: Nursery
    seed: int
    surroundings: Json
    data: Path | None = None
    full: bool = False
    _files: dict[str, bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def perform(self, file: SourceFile) -> tuple[Evidence, str]:
        """Return the evidence of a notebook's run and the key under which it and the executed notebook are kept."""
        from graders.execute import Stage, links, notebook_of, run

        notebook, _ = notebook_of(file)
        files, around = self.files(), REHEARSALS[self.slug]
        targets = {
            "train": f"{around.folder}/train",
            "test": f"{around.folder}/test",
            "validation": f"{around.folder}/test",
            "data": around.folder,
            "weights": around.weights,
        }
        stage = Stage(
            self.slug,
            self.seed,
            files,
            links(notebook, targets),
            None if self.full else around.shrink,
            FULL_CELL_SECONDS if self.full else CELL_SECONDS,
            FULL_TOTAL_SECONDS if self.full else TOTAL_SECONDS,
        )
        key = self._key(notebook, stage)
        with self.store.turn(key):
            if (known := self.store.evidence(key)) is not None:
                return known, key
            executed = run(self.nursery, notebook, stage)
            if executed.evidence.fault:
                executed = run(self.nursery, notebook, stage)  # once more: it may have been an accident
            if executed.evidence.fault:
                return executed.evidence, ""
            written = {"notebook": executed.notebook, "notes": list(executed.notes)}
            self.store.keep_file(key, json.dumps(written).encode())
            self.store.keep(key, executed.evidence)
            return executed.evidence, key

    def _key(self, notebook: Mapping[str, Any], stage: Any) -> str:
        cells = [[cell["cell_type"], cell["source"]] for cell in notebook["cells"]]
        around = [stage.slug, stage.seed, stage.links, stage.shrink, stage.cell_seconds, stage.total_seconds]
        text = json.dumps([cells, around, self.surroundings, self.nursery.limits.document()], sort_keys=True)
        names = sorted(stage.files)
        return setting.hashed(text.encode(), *(name.encode() for name in names), *(stage.files[n] for n in names))

    def files(self) -> Mapping[str, bytes]:
        """Return the data and weights that lie around every notebook, made once."""
        with self._lock:
            if not self._files:
                self._files = self._given() if self.full else self._drawn()
            return self._files

    def _drawn(self) -> dict[str, bytes]:
        around = REHEARSALS[self.slug]
        with tempfile.TemporaryDirectory(prefix="graders-data-") as folder:
            calligraphy.draw(Path(folder) / "drawn", around.train, around.test, self.seed)
            files = _below(Path(folder) / "drawn", around.folder)
        wanted = json.dumps([self.slug, dict(around.shrink), self.seed, self.surroundings], sort_keys=True)
        key = setting.hashed(b"weights", wanted.encode())
        weights = self.store.file(key)
        if weights is None:
            weights = reference_weights(self.slug, around.shrink, self.seed)
            self.store.keep_file(key, weights)
        return {**files, around.weights: weights, f"{around.folder}/{around.weights}": weights}

    def _given(self) -> dict[str, bytes]:
        around = REHEARSALS[self.slug]
        if self.data is None or not (self.data / "train").is_dir():
            raise UsageError("a run in full needs --data FOLDER with the course's train/ and test/ in it")
        files = _below(self.data, around.folder)
        weights = files.get(f"{around.folder}/{around.weights}")
        return {**files, around.weights: weights} if weights else files


def _below(folder: Path, name: str) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".h5"))
    return {f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}
