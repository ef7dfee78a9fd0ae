"""What a run of a notebook is given and what it returns."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.model import Evidence

FINISH = signal.SIGUSR1  # asks the kernel to let the recorder finish, and to leave
RECORDER = "graders.probes.recorder"


@dataclass(frozen=True)
class Stage:
    """What lies around a notebook while it runs, and for how long.

    `files` maps paths below the working folder to contents, `given` such paths to folders of this machine, which the
    notebook may read and not write. `links` maps paths as the notebook names them to paths of these or of their
    folders. `shrink` says how small the recorder shall make the model, None not at all: then the
    run is no rehearsal. `cell_seconds` and `total_seconds` are seconds of the clock. `recorder` is the module whose
    hooks run beside the notebook: install(namespace, shrink, emit, seed), after_cell(number), finish(); its seed is
    `recorder_seed`, not the class's.
    """

    slug: str
    seed: int
    files: Mapping[str, bytes] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    shrink: Mapping[str, int] | None = None
    cell_seconds: float = 60.0
    total_seconds: float = 300.0
    recorder: str = RECORDER


def recorder_seed(stage: Stage) -> int:
    """Return the seed of a recorder: the class's own, from which more is drawn, does not go where student code runs."""
    return int.from_bytes(hashlib.sha256(f"recorder {stage.slug} {stage.seed}".encode()).digest()[:6], "big")


@dataclass(frozen=True)
class Executed:
    """A notebook after its run.

    `notebook` is valid nbformat 4 with outputs; `evidence` has the experiment `cells` and whatever the recorder sent;
    `notes` are lines for the report: what was not run, and why the run ended before the notebook did. `starved_seconds`
    are those that it waited for a processor.
    """

    notebook: dict[str, Any]
    evidence: Evidence
    notes: tuple[str, ...] = ()
    starved_seconds: float = 0.0
