"""The recorder on real notebooks: one process with TensorFlow is shared, each notebook runs in a fork of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from graders.model import Experiment
from graders.probes.recorder_images import losses_of
from graders.probes.wire import pack, unpack
from tests.unit.rehearsal import SEED, SHRINK, WEIGHTS, Rehearsals, reference_text

START = reference_text()[: reference_text().index("# %% [markdown]\n# ## Load the pretrained")]
LOADED = START + f"# %%\npixel_cnn.load_weights('{WEIGHTS}')\n"


def calls(run: dict[str, Any], method: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the details and arrays of the records by a method."""
    assert not any(run["errors"]), run["errors"]
    records = [one for name, one in sorted(run["experiments"].items()) if one.values["method"] == method]
    return [(json.loads(one.values["details"]), dict(one.arrays)) for one in records]


def test_every_record_is_a_frame_of_one_form(reference_run: dict[str, Any]) -> None:
    for name, experiment in reference_run["experiments"].items():
        header, blob = pack(name, experiment)
        assert unpack(json.loads(json.dumps(header)), blob)[1].failure is None
        assert set(experiment.values) == {"cell", "method", "details"}
    assert 10 < len(reference_run["experiments"]) < 90


def test_the_recorder_itself_does_not_fail(reference_run: dict[str, Any]) -> None:
    ((end, _),) = calls(reference_run, "end")
    assert end["faults"] == []
    assert end["dropped"] == 0


def test_the_class_is_built_small_and_what_was_asked_for_is_noted(reference_run: dict[str, Any]) -> None:
    (loaded, _), *_ = calls(reference_run, "load_weights")
    assert loaded["settings"] == [{"n_resnet": 6, "n_filters": 64, "n_block": 6, "n_output": 10}]
    assert loaded["has"] == loaded["wants"]
    assert [SHRINK["n_filters"], SHRINK["n_output"]] in loaded["has"]
    studied = [fit["settings"][0]["n_filters"] for fit, _ in calls(reference_run, "fit")]
    assert studied == [64, 32, 64, 64, 64]


def test_loading_changes_all_weights_and_evaluations_tell_which_they_had(reference_run: dict[str, Any]) -> None:
    (before, _), (after, _), *_ = calls(reference_run, "evaluate")
    (loaded, _), *_ = calls(reference_run, "load_weights")
    assert loaded["before"] == before["before"] != loaded["after"] == after["before"]
    assert loaded["changed"] == loaded["variables"] == 38


def test_evaluations_are_recomputed_image_by_image(reference_run: dict[str, Any]) -> None:
    for details, arrays in calls(reference_run, "evaluate")[:3]:
        assert details["tested sizes"] == [32, 32, 6]
        assert details["results"]["loss"] == pytest.approx(arrays["losses"].mean(), abs=1e-4)
        assert len(set(arrays["tested"].tolist())) == 70


def test_a_fit_names_its_images_epochs_and_optimizer(reference_run: dict[str, Any]) -> None:
    fit, arrays = calls(reference_run, "fit")[0]
    assert (fit["epochs"], fit["ran"], fit["steps"]) == (10, 10, 20)
    assert fit["callbacks"] == ["ModelCheckpoint"]
    assert fit["optimizer"]["class"] == "Adam"
    assert fit["optimizer"]["ema_momentum"] == 0.9995
    images, times = np.unique(arrays["trained"], return_counts=True)
    assert (len(images), set(times.tolist())) == (64, {10})
    held_out = set(arrays["tested"].tolist())
    assert len(held_out) == 16
    assert not held_out & set(images.tolist())
    means = [part.mean() for part in np.split(arrays["losses"], fit["passes"][1:])]
    np.testing.assert_allclose(means, fit["history"]["val_loss"], atol=1e-4)


def test_a_generation_is_one_record_with_what_the_stand_in_said(reference_run: dict[str, Any]) -> None:
    generation, arrays = next(one for one in calls(reference_run, "direct") if one[0]["runs"])
    assert generation["runs"] == [{"calls": 1024, "images": 10, "order": "raster", "offset": 0, "stood_in": True}]
    p, drawn = arrays["probability"][8:-1], arrays["drawn"][8:-1]
    assert (drawn[p == 0] == 0).all()
    assert (drawn[p == 1] == 1).all()
    assert np.isin([0, 1], p).all()
    assert (arrays["drawn"][-1] == 255).all()  # what the last call drew is seen by no later one


def test_without_shrink_nothing_is_changed(rehearsals: Rehearsals) -> None:
    text = """# %%
import numpy as np
from tensorflow import keras
keras.utils.set_random_seed(1)
class AutoregressiveModel(keras.layers.Layer):
    def __init__(self, n_resnet=6, n_filters=64, n_block=6, n_output=10):
        super().__init__()
        self.n_output = n_output
        self.conv = keras.layers.Conv2D(n_output, 1)
    def call(self, inputs):
        return self.conv(inputs)
inputs = keras.Input((32, 32, 1))
outputs = keras.layers.Conv2D(1, 1, activation="sigmoid")(AutoregressiveModel(2, 3, 2, 7)(inputs))
model = keras.Model(inputs, outputs)
pixels, answers = np.zeros((1, 32, 32, 1), "float32"), []
for column in range(20):
    answers.append(model.predict_on_batch(pixels)[0, 0, 31, 0])
    pixels[:, 0, column] = 1
print(len(set(answers)), model.layers[1].n_output, sep=" answers, outputs: ")
"""
    run = rehearsals.run(text, shrink=None)
    assert "1 answers, outputs: 7" in run["printed"]
    ((details, arrays),) = calls(run, "direct")
    assert details["runs"][0]["stood_in"] is False
    assert np.isfinite(arrays["probability"]).all()
    assert len(set(arrays["probability"].ravel().tolist())) == 1


def test_a_model_may_be_asked_for_the_rows_that_it_needs(rehearsals: Rehearsals) -> None:
    text = """# %%
import numpy as np
from tensorflow import keras
inputs = keras.Input((None, 32, 1))
model = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs))
pixels = np.zeros((10, 32, 32, 1), "float32")
for row in range(32):
    for column in range(32):
        p = model.predict(pixels[:, :row + 1])
        assert p.shape == (10, row + 1, 32, 1)
        pixels[:, row, column, 0] = np.random.random(10) < p[:, row, column, 0]
"""
    ((details, arrays),) = calls(rehearsals.run(text), "direct")
    assert details["runs"] == [{"calls": 1024, "images": 10, "order": "raster", "offset": 0, "stood_in": True}]
    assert (arrays["drawn"][20:-1][arrays["probability"][20:-1] == 1] == 1).all()
    assert "tested" not in arrays


def test_calls_of_the_layer_that_belong_to_no_model_are_counted(rehearsals: Rehearsals) -> None:
    text = (
        START + "layer = AutoregressiveModel(6, 64, 6, 10)\nfor _ in range(20):\n    layer(tf.zeros((1, 32, 32, 1)))\n"
    )
    ((end, _),) = calls(rehearsals.run(text), "end")
    assert end["unfollowed"] == 20
    ((end, _),) = calls(rehearsals.run(START), "end")
    assert end["unfollowed"] == 0


def test_a_model_answers_on_images_that_the_notebook_never_saw(reference_run: dict[str, Any]) -> None:
    ((_, end),) = calls(reference_run, "end")
    (_, loaded), *_ = calls(reference_run, "load_weights")
    assert end["unseen"].shape == loaded["unseen"].shape == (16, 32, 32)
    images = np.packbits(end["unseen"].reshape(16, -1), axis=1)
    seen = np.concatenate(
        [one.arrays["images"] for one in reference_run["experiments"].values() if "images" in one.arrays]
    )
    assert not {row.tobytes() for row in images} & {row.tobytes() for row in seen}
    each, _ = losses_of(loaded["unseen"], end["unseen"])
    assert each.mean() < 0.6  # and not log 2, as at the start


def test_subclasses_super_and_isinstance_still_work(rehearsals: Rehearsals) -> None:
    text = START + (
        "class Larger(AutoregressiveModel):\n"
        "    def __init__(self, n_resnet, n_filters, n_block, n_output):\n"
        "        super().__init__(n_resnet, n_filters, n_block, n_output)\n"
        "layer = Larger(3, 32, 3, 5)\n"
        "model = keras.Model(inputs, keras.layers.Conv2D(1, 1)(layer(inputs)))\n"
        "model.compile(loss='mse')\n"
        "model.evaluate(test_data)\n"
        "print('is one:', isinstance(layer, AutoregressiveModel), layer.n_filters)\n"
    )
    run = rehearsals.run(text)
    assert f"is one: True {SHRINK['n_filters']}" in run["printed"]
    ((details, _),) = calls(run, "evaluate")
    assert details["settings"] == [{"n_resnet": 3, "n_filters": 32, "n_block": 3, "n_output": 5}]


def test_a_file_of_another_order_is_told_by_its_shapes(rehearsals: Rehearsals) -> None:
    line = "        self.out_dense = TensorDense(self.n_output)\n"
    last = "            self.ul_list_dense_layer.append(TensorDense(self.n_filters))\n"
    assert LOADED.count(line) == LOADED.count(last) == 1
    run = rehearsals.run(LOADED.replace(line, "").replace(last, last + line))
    record = next(one for one in run["experiments"].values() if one.values["method"] == "load_weights")
    details = json.loads(record.values["details"])
    assert "ValueError" in details["error"]
    differing = [
        at for at, (one, other) in enumerate(zip(details["has"], details["wants"], strict=True)) if one != other
    ]
    assert differing[0] == 4


def test_a_run_that_is_cut_short_still_sends_its_open_call(rehearsals: Rehearsals) -> None:
    run: dict[str, Experiment] = rehearsals.do(_cut_short, LOADED)
    record = [one for one in run.values() if one.values["method"] == "fit"]
    assert len(record) == 1
    details = json.loads(record[0].values["details"])
    assert (details["finished"], details["steps"]) == (False, 2)
    assert "call end" in run


def _cut_short(text: str) -> dict[str, Experiment]:
    import contextlib
    import io

    from graders.probes import recorder
    from tests.unit.rehearsal import cells_of

    experiments: dict[str, Experiment] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    recorder.install(namespace, SHRINK, experiments.__setitem__, SEED)
    with contextlib.redirect_stdout(io.StringIO()):
        for source in cells_of(text):
            exec(source, namespace)

        class Limit(namespace["keras"].callbacks.Callback):  # type: ignore[misc]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if batch == 1:
                    recorder.finish()
                    raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            namespace["pixel_cnn"].fit(namespace["train_data"], callbacks=[Limit()])
    recorder.uninstall()
    return experiments


@pytest.mark.parametrize("decorator", ["", "@tf.function"])
def test_a_loop_of_ones_own_is_seen_step_by_step(rehearsals: Rehearsals, decorator: str) -> None:
    text = LOADED + (
        f"# %%\n{decorator}\ndef step(x, y):\n"
        "    with tf.GradientTape() as tape:\n"
        "        loss = keras.losses.BinaryCrossentropy()(y, pixel_cnn(x, training=True))\n"
        "    grads = tape.gradient(loss, pixel_cnn.trainable_variables)\n"
        "    pixel_cnn.optimizer.apply_gradients(zip(grads, pixel_cnn.trainable_variables))\n"
        "for epoch in range(2):\n"
        "    for i in range(len(train_data)):\n"
        "        step(*train_data[i])\n"
        "    pixel_cnn(test_data[0][0])\n"
        "pixel_cnn.evaluate(test_data)\n"
        "step(*train_data[0])\n"
    )
    run = rehearsals.run(text)
    (details, arrays), (one_more, _) = calls(run, "direct")
    ((loaded, _),), ((evaluated, _),) = calls(run, "load_weights"), calls(run, "evaluate")
    # Each begins with the weights that the one before it left, however TensorFlow orders what it may reorder.
    assert (loaded["after"], details["after"]) == (details["before"], evaluated["before"])
    assert evaluated["after"] == one_more["before"] != one_more["after"]
    assert details["steps"] == 6
    assert details["trained sizes"] == [32, 32, 16] * 2
    assert details["losses named"] == ["binarycrossentropy"]
    assert details["optimizer"]["use_ema"] is True
    assert details["changed"] == details["variables"]
    assert len(arrays["tested"]) == 64
    assert not set(arrays["tested"].tolist()) & set(arrays["trained"].tolist())
