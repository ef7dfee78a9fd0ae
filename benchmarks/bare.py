"""The bare probes of PixelCNN: one warm process runs the slices and experiments one after the other.

No fork, no confinement, no transport, no judging. Usage: python -m benchmarks.bare FOLDER; prints the seconds of each
notebook in it as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from graders.intake import find_submissions
from graders.model import Submission
from graders.notebook import cut_slice, read_program
from graders.probes import runner
from graders.probes.wire import Order
from graders.rubric import judgeable, load_rubric

SEED = 4211


def probed(submission: Submission, slug: str = "pixelcnn") -> float:
    """Return how long the probes of all items took; raises RuntimeError where an experiment failed."""
    assignment = load_rubric(slug)
    names = {item.id: item.names for item in assignment.items if item.names}
    program = read_program(submission, {name for several in names.values() for name in several})
    took = 0.0
    for item in judgeable(assignment):
        order = Order(slug, item.id, SEED, cut_slice(program, names, item.id))
        started = time.perf_counter()
        found = dict(runner.run(order))
        took += time.perf_counter() - started
        failed = [f"{item.id} {name}: {one.failure}" for name, one in found.items() if one.failure]
        if failed or len(found) < 2:
            raise RuntimeError(f"{submission.id}: {'; '.join(failed) or 'no experiments'}")
    return took


if __name__ == "__main__":
    os.environ.pop("GRADERS_HOME", None)  # PixelCNN is one of ours
    submissions = find_submissions([Path(sys.argv[1]).resolve()])
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        probed(submissions[0])  # warm
        print(json.dumps([probed(one) for one in submissions]))
