"""Handout B, JEM: what each coding item is tested by. The docstring of a grader is what the item checks, in words.

A probe contains no expected value; a judge sees evidence only.
"""

from __future__ import annotations

import math

from graders.assignments import Registry
from graders.assignments import jem_blocks as blocks
from graders.assignments import jem_bonus as bonus
from graders.assignments import jem_record as record
from graders.assignments import jem_regularised as regularised
from graders.assignments import jem_run as run
from graders.assignments import jem_steps as steps

GRADERS = Registry(
    "tensorflow",
    preload=("tensorflow.python.ops.numpy_ops.np_config", "matplotlib.pyplot"),
    least_loss=-math.inf,  # the loss of Part 2 has the difference of two energies in it
    findings=run.findings,
)

GRADERS.item("C1")(blocks.ResBlock)
GRADERS.item("C2")(blocks.WideResNet)
GRADERS.item("C5")(regularised.RegularisedBlock)
for _item, _grader in steps.STEPS.items():
    GRADERS.item(_item)(_grader)
GRADERS.update({**record.QUESTIONS, **bonus.BONUS})
