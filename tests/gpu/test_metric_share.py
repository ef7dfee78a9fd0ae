"""A training of the metric tier has a share of a GPU's memory, and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import tensorflow as tf
from graders.metrics import tensorflow_lab as lab
lab.begin(1, 0.1, 1, "cuda")
assert tf.zeros(1).device.endswith("GPU:0")
(gpu, *_) = tf.config.list_physical_devices("GPU")
((limit, *_),) = [tf.config.get_logical_device_configuration(gpu)]
print(limit.memory_limit * 2**20 / lab._gpu_bytes())
"""


@pytest.mark.gpu("tensorflow")
def test_a_child_takes_its_share_of_the_memory() -> None:
    command = [sys.executable, "-W", "ignore", "-c", CODE]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    assert float(output.splitlines()[-1]) == pytest.approx(0.1, abs=0.001)
