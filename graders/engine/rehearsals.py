"""How each assignment's whole notebooks are made small: data, and nothing here but data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.data import calligraphy, cifar10, horses
from graders.errors import UsageError

RECORDER = "graders.probes.recorder"


@dataclass(frozen=True)
class Rehearsal:
    """What lies around a notebook in a rehearsal; paths are below its working folder, "" is that folder itself.

    `draw(folder, seed)` writes artificial data into an empty folder, which is the notebook's `folder`. `targets` map
    kinds of paths that notebooks name (`graders.execute.paths`) to paths. `shrink` are the sizes that the `recorder`
    gives the model. `weights` is the name of the reference's weights file in that size, "" for none. `seconds` are
    those of a notebook. `full` says whether there are runs in full, which read the course's train/, test/ and weights.
    """

    draw: Callable[[Path, int], None]
    folder: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    recorder: str = RECORDER
    shrink: Mapping[str, int] = field(default_factory=dict)
    weights: str = ""
    seconds: float = 180.0
    full: bool = False


def _with_seed(draw: Callable[[Path, int, int, int], None], train: int, test: int) -> Callable[[Path, int], None]:
    return lambda folder, seed: draw(folder, train, test, seed)


REHEARSALS = {
    "pixelcnn": Rehearsal(
        draw=_with_seed(calligraphy.draw, 80, 70),
        folder="pa2",
        targets={
            "train": "pa2/train",
            "test": "pa2/test",
            "validation": "pa2/test",
            "data": "pa2",
            "weights": "pixel_cnn_e5.h5",
        },
        # With one block, Keras 2 and Keras 3 order the weights of every right model alike.
        shrink={"n_resnet": 2, "n_filters": 6, "n_block": 1, "n_output": 4},
        weights="pixel_cnn_e5.h5",
        full=True,
    ),
    "colourization": Rehearsal(draw=horses.draw, targets={"data": "data"}, recorder="graders.probes.torch_recorder"),
    # As many images as make whole batches of the usual sizes, and as notebooks show at once.
    "jem": Rehearsal(
        draw=_with_seed(cifar10.draw, 128, 100),
        recorder="graders.probes.recorder_tapes",
        shrink={"channels": 8},
        seconds=300.0,
    ),
}


def rehearsal_of(slug: str, full: bool = False) -> Rehearsal:
    """Return how an assignment is rehearsed; raises UsageError where it is not, or not run in full if that is asked."""
    found = REHEARSALS.get(slug)
    if found is None:
        raise UsageError(f"the notebooks of {slug} cannot be run whole yet; leave execute out of --tier")
    if full and not found.full:
        raise UsageError(f"the notebooks of {slug} cannot be run in full yet; without --full they are rehearsed")
    return found
