"""The data of a metric: what the student's script gets, and what is held out, by a seed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graders.errors import UsageError
from graders.metrics.scores import Asked
from graders.metrics.sources import SOURCES, Source

OWN_TESTS, OWN_SHARE = 2000, 5  # images of the test set, a fifth at most, that the script may test itself on
AROUND, SHOWN = "around", "sample.npz"  # in the folder of a run: what lies around scripts, and the inputs of curves
_CONTROLS = 64  # among what is asked


@dataclass(frozen=True)
class Held:
    """What models are scored on: `hints` (N,) go with the inputs to the model, the answers do not.

    `controls` (N,) says which inputs are such that no right model does well on them. `sample` is what a curve is made
    of: of the script's own test set, or of what it has not. `folder` holds what the script gets, and `targets` map
    kinds of paths that scripts name to it; `digest` is a hash of all.
    """

    asked: Asked
    hints: NDArray[Any]
    controls: NDArray[np.bool_]
    sample: Asked
    folder: Path
    targets: Mapping[str, str]
    digest: str


@contextmanager
def held(slug: str, data: Path, seed: int, sample: int) -> Iterator[Held]:
    """Lay what scripts of an assignment get into a folder for the time of a run; yield it with what is held out.

    Raises UsageError in one line where the data are not there, or are too few.
    """
    if slug not in SOURCES:
        raise UsageError(f"the metric tier has no data for {slug} yet; leave metric out of --tier")
    source = SOURCES[slug](data)
    random = np.random.default_rng(seed)
    own = _own(source.labels, random)
    rest = np.setdiff1d(np.arange(len(source.labels)), own)
    theirs, mine = random.permutation(own), random.permutation(rest)
    watched = theirs
    if source.whole:
        theirs, mine, watched = mine, np.delete(theirs, slice(None, None, OWN_SHARE)), theirs[::OWN_SHARE]
    asked, controls = _with_controls(source, source.ask(mine), random)
    shown = source.ask(watched[:OWN_TESTS]).part(slice(sample))
    if not len(asked.inputs) or not len(shown.inputs):
        raise UsageError(f"{data}: {len(source.labels)} images in the test set are too few to hold some out")
    with tempfile.TemporaryDirectory(prefix="graders-metric-") as name:
        folder = Path(name)
        (folder / AROUND).mkdir()
        source.lay(folder / AROUND, theirs)
        np.savez(folder / SHOWN, inputs=shown.inputs, hints=_hints(source, shown))
        _open(folder)
        digest = _digest(folder, asked)
        yield Held(asked, _hints(source, asked), controls, shown, folder, source.targets, digest)


def _hints(source: Source, asked: Asked) -> NDArray[Any]:
    return asked.answers if source.hinted else np.zeros(len(asked.inputs), np.uint8)


def _own(labels: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
    """Return a fifth of a test set, of each class alike: what a script may have of it, the rest being held out."""
    order = random.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    return by_class[:: max(OWN_SHARE, -(-len(order) // OWN_TESTS))]


def _with_controls(source: Source, asked: Asked, random: np.random.Generator) -> tuple[Asked, NDArray[np.bool_]]:
    """Return what is asked with controls among it, where the source makes such, and which of it they are."""
    count = len(asked.inputs)
    if source.control is None or not count:
        return asked, np.zeros(count, bool)
    some = random.choice(count, min(_CONTROLS, count), replace=False)
    made = source.control(asked.inputs[some], random)
    mixed = random.permutation(count + len(some))
    inputs, answers = np.concatenate([asked.inputs, made]), np.concatenate([asked.answers, asked.answers[some]])
    return Asked(inputs[mixed], answers[mixed]), (np.arange(count + len(some)) >= count)[mixed]


def _open(folder: Path) -> None:
    """Let others read it, and nobody else write: the child may be another user."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _digest(folder: Path, asked: Asked) -> str:
    """Return a hash of what scripts get and of what is held out."""
    digest = hashlib.sha256()
    for array in (asked.inputs, asked.answers):
        digest.update(np.ascontiguousarray(array).tobytes())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"\n{path.relative_to(folder)} ".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
