"""TensorFlow's instruments in a child of its own, without confinement: what we wrote ourselves trains in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from graders.data import calligraphy, cifar10
from graders.metrics.held import Held, held
from graders.model import Slice, Statement
from graders.probes import wire
from tests.unit.metrics.children import received_from

pytest.importorskip("tensorflow")

# Handout A: a layer that overrides __call__, as the handout asks; a class of data that keeps a number of Keras's own.
LAYER = """\
import tensorflow as tf
from tensorflow import keras


class Backbone(keras.layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [keras.layers.Conv2D(width, 1) for _ in range(2)]

    def __call__(self, inputs):
        x = tf.pad(inputs, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :-1]
        for block in self.blocks:
            x = block(x)
        return x
"""
TRAINING = (
    LAYER
    + """
import glob
import numpy as np
from google.colab import drive
from PIL import Image

drive.mount("nowhere")


class Images(keras.utils.Sequence):
    def __init__(self, folder):
        self.paths = sorted(glob.glob(folder + "/*.jpg"))
        self.num_batches = len(self.paths) // 8

    def __len__(self):
        return self.num_batches

    def __getitem__(self, at):
        paths = self.paths[at * 8 : at * 8 + 8]
        x = np.stack([np.asarray(Image.open(path).convert("L").resize((32, 32))) > 84 for path in paths])
        return x[..., None].astype("float32"), x[..., None].astype("float32")


def build(width=3):
    inputs = keras.Input((32, 32, 1))
    return keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(Backbone(width)(inputs)))


def trained(model, **more):
    model.compile("adam", "binary_crossentropy")
    model.fit(Images("./pa2/train"), epochs=1, verbose=0, workers=1, use_multiprocessing=False, **more)
    return model


pixel_cnn = build()
best = keras.callbacks.ModelCheckpoint("best.h5", monitor="loss", save_weights_only=True)
trained(pixel_cnn, callbacks=[best])
pixel_cnn.save_weights("last.ckpt")
pixel_cnn.load_weights("best.h5")
pixel_cnn.load_weights("last.ckpt")
print("test", pixel_cnn.evaluate(Images("./pa2/test"), verbose=0))
other = trained(build(5))
other.save_weights("other.h5")
trained(build(4))
"""
)
# Handout B: both parts in functions, one name for both models, steps in graphs, images in [-1, 1].
JOINT = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
assert y_train.shape == (40, 1) and len(x_test) == 8, (y_train.shape, len(x_test))


class WRN(keras.Model):
    def __init__(self, bias):
        super().__init__()
        self.pool = keras.layers.GlobalAveragePooling2D()
        constant = keras.initializers.Constant(bias)
        self.dense = keras.layers.Dense(10, kernel_initializer="zeros", bias_initializer=constant)

    def call(self, x):
        return self.dense(self.pool(x))


class WRNRE(WRN):
    pass


@tf.function
def sampling_step(model, data):
    if tf.reduce_mean(data) < 0:  # which autograph makes a part of the graph
        data = -data
    with tf.GradientTape() as tape:
        tape.watch(data)
        energy = tf.reduce_sum(model(data))
    return data - tape.gradient(energy, data)


def step(optimizer, model, data, label, sampled):
    for _ in range(2 if sampled else 0):
        sampling_step(model, tf.random.uniform((4, 32, 32, 3)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(label, model(data), from_logits=True))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))


def train(model, sampled, graph):
    optimizer, run = keras.optimizers.SGD(1e-6), tf.function(step) if graph else step
    model(tf.random.normal((8, 32, 32, 3)))  # no images, and no training
    data = tf.constant(x_train / 127.5 - 1, tf.float32)
    for start in range(0, 40, 8):
        run(optimizer, model, data[start : start + 8], y_train[start : start + 8, 0], sampled)
    model.save_weights(f"{type(model).__name__}{sampled}.weights.h5")
    return model


def main():
    trial = WRN(9.0)
    trial(tf.zeros((1, 32, 32, 3)))
    sampling_step(trial, tf.random.uniform((4, 32, 32, 3)))
    model = train(WRN(1.0), False, GRAPH)
    sampling_step(model, tf.random.uniform((4, 32, 32, 3)))  # a stray look at images before the next training
    train(WRNRE(2.0), False, GRAPH)
    train(WRN(3.0), True, GRAPH)  # it diverged, and was tried again
    model = train(WRN(4.0), True, GRAPH)


main()
"""


@pytest.fixture(scope="module")
def characters(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("characters")
    calligraphy.draw(folder, 24, 40, seed=3)
    with held("pixelcnn", folder, 1, 4) as kept:
        yield kept


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 40, 40, seed=3)
    with held("jem", folder, 1, 4) as kept:
        yield kept


def target(item: str, name: str, score: str, **more: Any) -> dict[str, Any]:
    piece = Slice((Statement("cell 1", 1, LAYER),), found={"C7": name})
    order = wire.pack_order(wire.Order("pixelcnn", "C7", 0, piece))[0]
    return {"item": item, "class": name, "score": score, "calls": [], "constants": {}, "order": order, **more}


def run(
    data: Held, work: Path, script: str, targets: Sequence[Any], files: Mapping[str, bytes] | None = None, **more: Any
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return how a training ended, the outputs by item and name, and what it printed."""
    files = files or {}
    links = {"./pa2/train": "pa2/train", "./pa2/test": "pa2/test"} if data.targets else {}
    order = {
        "serve": "graders.metrics.child", "lab": "graders.metrics.tensorflow_lab", "device": "cpu", "seed": 1,
        "share": 1.0, "threads": 1, "files": {name: len(content) for name, content in files.items()},
        "weights": list(files), "data": str(data.folder), "links": links, "cells": [["cell 1", script]] * (not files),
        "budget": 120.0, "every": 0.0, "targets": list(targets), "file": "code.ipynb", "folders": [], **more,
    }  # fmt: skip
    ended: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for header, blob in received_from(order, b"".join(files.values()), data, work):
        ended = header.get("trained", ended)
        if header.get("experiment") in ("outputs", "curve"):
            values = header["values"]
            key = values["item"], header["experiment"], values["name"]
            outputs[" ".join(key)] = header["failure"] or load(blob)["outputs"]
    return ended, outputs, (work / "output").read_text(encoding="utf-8")


PIXELS = target("C10-score", "Backbone", "pixels")
PARTS = [target("Q5", "WRN", "accuracy", training="plain"), target("Q10", "WRN", "accuracy", training="sampling")]


def test_code_for_keras_2_trains_and_is_asked_for_what_it_has_and_what_it_saved(
    characters: Held, tmp_path: Path
) -> None:
    ended, outputs, printed = run(characters, tmp_path, TRAINING, [PIXELS])
    assert ended["how"] == "finished", (ended, printed)
    assert "test 0." in printed
    assert set(outputs) == {
        "C10-score curve ",
        "C10-score outputs pixel_cnn, as it was at the end",
        "C10-score outputs the weights that it saved in best.h5",
        "C10-score outputs the weights that it saved in last.ckpt.weights.h5",
    }
    made = outputs["C10-score outputs pixel_cnn, as it was at the end"]
    assert made.shape == characters.asked.inputs.shape == (64, 32, 32, 1)
    assert 0 < made.min() < made.max() < 1
    np.testing.assert_allclose(outputs["C10-score outputs the weights that it saved in best.h5"], made, atol=1e-6)


@pytest.mark.parametrize("graph", [False, True])
def test_the_models_of_both_parts_are_told_apart_by_their_trainings(images: Held, tmp_path: Path, graph: bool) -> None:
    """The last class that a model says is likeliest gets a bias of its own, which tells which model it is."""
    ended, outputs, printed = run(images, tmp_path, JOINT.replace("GRAPH", str(graph)), PARTS)
    assert ended["how"] == "finished", (ended, printed)
    biases = {key: round(float(made.mean())) for key, made in outputs.items()}
    assert {key: bias for key, bias in biases.items() if "curve" not in key} == {
        "Q5 outputs a network in a function, as it was at the end": 1,
        "Q5 outputs the weights that it saved in WRNFalse.weights.h5": 1,
        "Q10 outputs a network in a function, as it was at the end": 4,
        "Q10 outputs the weights that it saved in WRNTrue.weights.h5": 4,
    }


def test_images_are_scaled_as_the_first_training_step_had_them(images: Held, tmp_path: Path) -> None:
    linear = JOINT.replace('"zeros"', '"ones"').replace("GRAPH", "True")
    _, outputs, printed = run(images, tmp_path, linear, PARTS[:1])
    made = outputs["Q5 outputs a network in a function, as it was at the end"]
    means = (images.asked.inputs / 127.5 - 1).mean(axis=(1, 2)).sum(axis=-1)
    np.testing.assert_allclose(made, 1 + np.repeat(means[:, None], 10, axis=1), atol=0.01, err_msg=printed)


def test_a_network_as_it_was_built_is_nobodys_result(characters: Held, tmp_path: Path) -> None:
    begin = TRAINING.partition("best = keras")[0]
    ended, outputs, _ = run(characters, tmp_path, begin + 'pixel_cnn.load_weights("pixel_cnn_e5.h5")\n', [PIXELS])
    assert ended["failure"]["kind"] == "FileNotFoundError"
    assert "go into the folder that --data names" in ended["failure"]["message"]
    assert not outputs


def test_a_training_ends_with_its_budget_in_the_middle_of_fit(characters: Held, tmp_path: Path) -> None:
    endless = TRAINING.replace("epochs=1", "epochs=10**9")
    ended, outputs, _ = run(characters, tmp_path, endless, [PIXELS], budget=6.0)
    assert ended["how"] == "budget"
    assert "C10-score outputs pixel_cnn, as it was at the end" in outputs


def test_weights_that_were_handed_in_are_loaded_from_any_format(characters: Held, tmp_path: Path) -> None:
    code = TRAINING.partition("from google")[0] + (
        "inputs = keras.Input((32, 32, 1))\n"
        "model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation='sigmoid')(Backbone(3)(inputs)))\n"
        "model.set_weights([0 * w for w in model.get_weights()[:-1]] + [tf.constant([2.0])])\n"
        "model.compile('adam')\n"
        "[model.save(name) for name in ('whole.keras', 'whole.h5')]; model.save_weights('new.weights.h5')\n"
    )
    plain = code.replace("__call__", "call")  # without us, Keras 3 wants that
    subprocess.run([sys.executable, "-W", "ignore", "-c", plain], cwd=tmp_path, check=True, timeout=300)
    names = ("whole.keras", "whole.h5", "new.weights.h5")
    files = {name: (tmp_path / name).read_bytes() for name in names} | {"bad.h5": b"no weights", "zip.keras": b"PK"}
    ended, outputs, printed = run(characters, tmp_path, "", [{**PIXELS, "calls": ["Backbone(3)"]}], files=files)
    assert ended["how"] == "loaded", (ended, printed)
    assert set(outputs) == {f"C10-score outputs {name}" for name in names}
    for made in outputs.values():
        np.testing.assert_allclose(made, 1 / (1 + np.exp(-2)), atol=1e-6)
    (tmp_path / "again").mkdir()
    ended, outputs, _ = run(characters, tmp_path / "again", "", [{**PIXELS, "calls": ["Backbone(4)"]}], files=files)
    assert (ended["how"], outputs) == ("failed", {})
    assert "new.weights.h5: TypeError: it holds 6 weights of a network" in ended["failure"]["message"]


def test_a_gpu_that_is_not_there_is_said_before_anything_begins(characters: Held, tmp_path: Path) -> None:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    ended, outputs, printed = run(characters, tmp_path, "raise SystemExit", [PIXELS], device="cuda")
    assert (ended, outputs) == ({}, {})
    assert "RuntimeError: TensorFlow sees no GPU" in printed


NOISY = (
    LAYER.replace("        return x\n", "        return x + tf.random.normal(tf.shape(x))\n")
    + """
import numpy as np

inputs = keras.Input((32, 32, 1))
model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(Backbone(2)(inputs)))
optimizer = keras.optimizers.SGD(0.1)
for _ in range(4):
    with tf.GradientTape() as tape:
        x = tf.random.uniform((2, 32, 32, 1)) + np.random.rand()
        loss = tf.reduce_mean(model(x))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
print("sum", float(sum(tf.reduce_sum(weight) for weight in model.weights)))
"""
)


def test_to_be_watched_changes_no_number(characters: Held, tmp_path: Path) -> None:
    def summed(every: float) -> str:
        (tmp_path / str(every)).mkdir()
        ended, _, printed = run(characters, tmp_path / str(every), NOISY, [PIXELS], every=every)
        assert ended["how"] == "finished", printed
        return next(line for line in printed.splitlines() if line.startswith("sum"))

    assert summed(0.0) == summed(1000.0)
