"""Weights of a reference's model, trained in a process of its own: the trusted process imports no framework."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from graders.data import calligraphy
from graders.errors import Fault, UsageError
from graders.home import reference_path

Tell = Callable[[Mapping[str, Any]], None]
# A training for a rehearsal: long enough that the test loss clearly falls, and some seconds long.
_QUICK = {"epochs": 8, "learning_rate": 0.01}
_QUICK_IMAGES = (256, 64)  # for training and for the test


def train_weights(slug: str, data: Path, out: Path, options: Mapping[str, int | float], tell: Tell) -> None:
    """Train the reference's model on data/train and write its weights to a file, in the layout of Keras 2.

    `options` are those of the reference's training.py: epochs, seed, limit, learning_rate and the model's sizes. `tell`
    gets {"epoch", "loss", "seconds"} for every epoch, then {"before", "after"}, the loss on data/test, where it is.
    Raises UsageError for what is missing and Fault when the training breaks; the file is then as it was.
    """
    script = _script(slug)
    _examine(data, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".weights-") as folder:
        written = Path(folder) / "weights.h5"
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        _run([str(script), "--data", str(data), "--out", str(written), *words], tell)
        written.replace(out)


def reference_weights(slug: str, shrink: Mapping[str, int], seed: int) -> bytes:
    """Return a weights file of the reference's model in a small size, trained a little on artificial images.

    `shrink` are arguments of the model (n_resnet, n_filters, n_block, n_output), the rest is the handout's. It takes
    some ten seconds: keep the bytes. Raises as `train_weights`.
    """
    with tempfile.TemporaryDirectory(prefix="graders-weights-") as folder:
        data, out = Path(folder) / "data", Path(folder) / "small.h5"
        calligraphy.draw(data, *_QUICK_IMAGES, seed)
        train_weights(slug, data, out, {**_QUICK, **shrink, "seed": seed}, lambda line: None)
        return out.read_bytes()


def _script(slug: str) -> Path:
    script = reference_path(slug).with_name("training.py")
    if not script.is_file():
        raise UsageError(f"{script}: not there; '{slug}' has no weights to train")
    if importlib.util.find_spec("tensorflow") is None:
        raise UsageError("to train weights needs tensorflow, which is not installed: pip install 'graders[tensorflow]'")
    return script


def _examine(data: Path, out: Path) -> None:
    """Raise UsageError for a folder without images, and for a name that Keras reads in another layout."""
    if not any((data / "train").glob("*.jpg")):
        mend = "give a folder with train/ and test/, or make one with `graders data draw`"
        raise UsageError(f"{data}: no folder train/ with .jpg files in it; {mend}")
    if out.suffix != ".h5" or out.name.endswith(".weights.h5"):
        raise UsageError(f"{out}: Keras tells the layout by the name; it must end in .h5 and not in .weights.h5")


def _run(words: list[str], tell: Tell) -> None:
    """Run the script and pass its lines on; what it says on stderr is shown when it breaks, the last line of it."""
    env = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    env |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        with subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=errors, text=True, env=env
        ) as run:
            assert run.stdout is not None
            for line in _documents(run.stdout):
                tell(line)
        if run.returncode:
            errors.seek(0)
            last = next((line for line in reversed(errors.read().splitlines()) if line.strip()), "no message")
            raise Fault(f"{words[0]} ended with status {run.returncode}: {last.strip()}")


def _documents(lines: IO[str]) -> Iterator[dict[str, Any]]:
    """Yield the lines that are JSON objects; libraries print others."""
    for line in lines:
        if line.startswith("{"):
            yield json.loads(line)
