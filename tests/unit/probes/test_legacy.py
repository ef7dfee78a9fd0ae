"""What was dropped since TensorFlow 2.11 works again; in a process of its own, since it changes Keras for all of it."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import keras, numpy as np, tensorflow as tf
from PIL import Image
from graders.probes import keras2, legacy

for _ in range(2):  # twice is as good as once
    legacy.restore()
    keras2.restore()
assert np.float_ is np.float64 and np.int is int
assert Image.ANTIALIAS == Image.LANCZOS


class Data(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.num_batches = 3


assert Data().num_batches == 3


class Own(keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight("w", shape=(shape[-1],), initializer="ones")
        self.v = self.add_weight(shape=(2,), name="v")

    def call(self, x):
        return x * self.w


own = Own()
assert own(tf.ones((1, 3))).shape == (1, 3)
assert (own.w.name, own.v.name) == ("w", "v")


class Called(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def __call__(self, x):
        return self.dense(tf.reshape(x, [-1, 3]))


class Around(keras.layers.Layer):
    def __call__(self, x):
        return super().__call__(x) + 1

    def call(self, x):
        return x


keras2.adopt({"Called": Called, "Around": Around, "number": 3, "function": len})


class Inner(keras.layers.Layer):
    def build(self, shape):
        self.paddings = tf.constant([[0, 0], [1, 0]])

    def call(self, x):
        self.late = keras.layers.Dense(1)  # Keras 3 would not have it
        return self.late(tf.pad(x, self.paddings))


class Outer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    def call(self, x):
        return self.inner(x)


keras2.adopt({"Inner": Inner, "Outer": Outer})
outer = Outer()
assert outer(tf.ones((2, 3))).shape == outer(tf.ones((2, 3))).shape == (2, 1)
assert keras.Sequential([keras.Input((3,)), Called()])(tf.ones((4, 3))).shape == (4, 2)
assert float(Around()(tf.ones(1))[0]) == 2.0
"""


def test_what_code_for_older_versions_relies_on_is_there() -> None:
    process = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
