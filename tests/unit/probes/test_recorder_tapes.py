"""The recorder of handout B on the reference's own notebook, made short, and on loops that are written otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from demo.make_class import changed
from graders.data import cifar10
from graders.home import reference_path
from graders.model import Experiment
from graders.probes.wire import pack, unpack
from tests.unit.rehearsal import SEED, Rehearsals, cells_of

RECORDER = "graders.probes.recorder_tapes"
SHRINK = {"channels": 8}
TEXT = changed(
    reference_path("jem").read_text(encoding="utf-8").replace("import graders\n", ""),
    ("BATCH_SIZE = 64", "BATCH_SIZE = 16"),
    ("EPOCHS_1 = 20", "EPOCHS_1 = 3"),
    ("    for _ in range(20):\n", "    for _ in range(4):\n"),
)
WITHOUT_BONUS = TEXT.partition("# %% [markdown]\n# # Bonus")[0]
_SECOND = WITHOUT_BONUS.index("# %%\n# [Q6]"), WITHOUT_BONUS.index("# %% [markdown]\n# # Part 2")
SHORT = WITHOUT_BONUS[: _SECOND[0]] + WITHOUT_BONUS[_SECOND[1] :]
UNTRAINED = SHORT[: SHORT.index("# %%\n# [Q4]")]


@pytest.fixture(scope="module")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsals]:
    folder = tmp_path_factory.mktemp("cifar")
    cifar10.draw(folder, train=40, test=24, seed=3)
    with Rehearsals(folder, RECORDER) as process:
        yield process


@pytest.fixture(scope="module")
def reference_run(rehearsals: Rehearsals) -> dict[str, Any]:
    return rehearsals.run(SHORT + "# %%\nprint('filters', classifier.stack.layers[1].conv1.filters)\n", shrink=SHRINK)


def calls(run: dict[str, Any], method: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the details and arrays of the records by a method."""
    assert not any(run["errors"]), run["errors"]
    records = [one for name, one in sorted(run["experiments"].items()) if one.values["method"] == method]
    return [(json.loads(one.values["details"]), dict(one.arrays)) for one in records]


def printed_losses(run: dict[str, Any]) -> list[float]:
    """Return the losses that the given loop of part 1 printed, one an epoch."""
    return [float(loss) for loss in re.findall(r"Epoch \d+: loss ([\d.]+)$", run["printed"], re.MULTILINE)]


def test_every_record_is_a_frame_of_one_form(reference_run: dict[str, Any]) -> None:
    for name, experiment in reference_run["experiments"].items():
        header, blob = pack(name, experiment)
        assert unpack(json.loads(json.dumps(header)), blob)[1].failure is None
        assert set(experiment.values) == {"cell", "method", "details"}


def test_the_recorder_itself_does_not_fail(reference_run: dict[str, Any]) -> None:
    ((end, _),) = calls(reference_run, "end")
    nothing = {"faults": [], "dropped": 0, "misfit": ""}
    assert end == {"method": "end", **nothing, "channels": 8, "images": [40, 24]}


def test_each_step_of_part_1_is_noted_with_its_loss(reference_run: dict[str, Any]) -> None:
    (details, arrays), _ = calls(reference_run, "direct")
    assert (details["name"], details["steps"], details["optimizer"]["class"]) == ("classifier", 9, "Adam")
    assert details["changed"] == details["variables"] == 31  # as in the real size: what is equal stays equal
    assert arrays["sampled"].tolist() == [0] * 9
    assert arrays["loss"].reshape(3, 3).mean(axis=1) == pytest.approx(printed_losses(reference_run), abs=1e-4)


def test_each_step_of_part_2_is_noted_with_what_was_sampled(reference_run: dict[str, Any]) -> None:
    (first, _), (details, arrays) = calls(reference_run, "direct")
    assert (details["name"], details["steps"]) == ("jem", 6)
    assert details["model"] != first["model"]
    assert arrays["sampled"].tolist() == [4] * 6
    assert np.isfinite(arrays["loss"]).all()


def test_batches_accuracies_and_the_buffer_are_noted(reference_run: dict[str, Any]) -> None:
    cells = [details for details, _ in calls(reference_run, "cell")]
    trained, tested, shown, joint, last = cells
    assert trained["batches"] == {"train_dataset": 9}
    assert tested["batches"] == {"test_dataset": 4}
    ((model, data, value),) = tested["accuracies"]
    assert (model, data) == ("classifier", "test_dataset")
    assert f"test accuracy {value:.4f}" in reference_run["printed"]
    assert (shown["added"], shown["handed"]) == (40, 16)
    assert (joint["added"], joint["handed"]) == (80, 80)
    assert last["accuracies"][0][0] == "jem"


def test_a_rehearsal_is_narrow_and_a_run_without_is_not(rehearsals: Rehearsals, reference_run: dict[str, Any]) -> None:
    assert "filters 8\n" in reference_run["printed"]
    whole = rehearsals.run(UNTRAINED, shrink=None)
    assert not any(whole["errors"])
    assert "trainable parameters: 2,747,082" in whole["printed"]


def test_what_is_restored_has_the_channels_that_it_had(rehearsals: Rehearsals) -> None:
    text = (
        "# %%\nimport keras\nlayer = keras.layers.Conv2D(filters=128, kernel_size=3)\n"
        "again = type(layer).from_config(layer.get_config())\n"
        "print(layer.filters, again.filters, keras.layers.Conv2D(128, 3).filters)\n"
        "model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(64, 3), keras.layers.Conv2D(10, 3)])\n"
        "print([layer.filters for layer in keras.models.clone_model(model).layers])\n"
    )
    run = rehearsals.run(text, shrink=SHRINK)
    assert run["printed"] == "16 16 16\n[8, 10]\n", run["errors"]


def test_a_network_that_does_not_fit_together_is_noted(rehearsals: Rehearsals) -> None:
    layers = "[keras.layers.Conv2D(64, 3), keras.layers.Reshape((30 * 30 * 64,))]"
    run = rehearsals.run(
        f"# %%\nimport keras\nkeras.Sequential({layers})(keras.ops.ones((1, 32, 32, 3)))\n", shrink=SHRINK
    )
    assert "ValueError" in run["errors"][0]
    end = json.loads(run["experiments"]["call end"].values["details"])
    assert (end["misfit"], end["faults"]) == ("ValueError", [])


def test_steps_that_are_traced_are_seen_when_they_happen(rehearsals: Rehearsals) -> None:
    text = SHORT
    for name, decorator in (("part1_train_step", "@tf.function"), ("sampling_step", "@tf.function(jit_compile=True)")):
        text = text.replace(f"\ndef {name}(", f"\n{decorator}\ndef {name}(")
    run = rehearsals.run(text, shrink=SHRINK)
    (first, of_first), (second, of_second) = calls(run, "direct")
    assert (first["steps"], second["steps"]) == (9, 6)
    assert first["changed"] == first["variables"] == 31
    assert of_second["sampled"].tolist() == [4] * 6
    assert of_first["loss"].reshape(3, 3).mean(axis=1) == pytest.approx(printed_losses(run), abs=1e-4)


def test_a_loss_that_is_no_number_is_noted_as_infinite(rehearsals: Rehearsals) -> None:
    text = UNTRAINED + (
        "# %%\ndef broken(optim, model, data, label):\n"
        "    with tf.GradientTape() as tape:\n"
        "        loss = tf.math.log(tf.reduce_mean(model(data)) * 0.0 - 1.0)\n"
        "    grads = tape.gradient(loss, model.trainable_variables)\n"
        "    optim.apply_gradients(zip(grads, model.trainable_variables))\n"
        "    return {'loss': loss}\n"
        "train_loop_1(classifier, keras.optimizers.SGD(0.0), broken, epochs=1)\n"
    )
    ((_, arrays),) = calls(rehearsals.run(text, shrink=SHRINK), "direct")
    assert np.isposinf(arrays["loss"]).all()


def test_optimizers_without_end_do_not_fill_the_memory(rehearsals: Rehearsals) -> None:
    text = (
        "# %%\nimport keras\nimport tensorflow as tf\nx = tf.Variable(1.0)\n"
        "for _ in range(310):\n    keras.optimizers.SGD(0.1).apply([tf.constant(1.0)], [x])\n"
    )
    run = rehearsals.run(text, shrink=SHRINK)
    assert len(calls(run, "direct")) == 300
    ((end, _),) = calls(run, "end")
    assert (end["dropped"], end["faults"]) == (10, [])


def test_a_run_that_is_cut_short_sends_the_steps_of_the_open_cell(rehearsals: Rehearsals) -> None:
    run: dict[str, Experiment] = rehearsals.do(_cut_short, UNTRAINED)
    (record,) = [one for one in run.values() if one.values["method"] == "direct"]
    assert (record.values["cell"], json.loads(record.values["details"])["steps"]) == (1, 2)
    assert "call end" in run


def _cut_short(text: str) -> dict[str, Experiment]:
    import contextlib
    import io

    import keras
    import tensorflow as tf

    from graders.probes import recorder_tapes

    experiments: dict[str, Experiment] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    own = tf.GradientTape.gradient, keras.layers.Conv2D.__init__, keras.datasets.cifar10.load_data, tf.function
    recorder_tapes.install(namespace, SHRINK, experiments.__setitem__, SEED)
    with contextlib.redirect_stdout(io.StringIO()):
        for source in cells_of(text):
            exec(source, namespace)
    recorder_tapes.after_cell(0)
    batch, optimizer = next(iter(namespace["train_dataset"])), keras.optimizers.SGD(0.1)
    for _ in range(2):
        namespace["part1_train_step"](optimizer, namespace["classifier"], *batch)
    recorder_tapes.finish()
    recorder_tapes.uninstall()
    assert own == (
        tf.GradientTape.gradient,
        keras.layers.Conv2D.__init__,
        keras.datasets.cifar10.load_data,
        tf.function,
    )
    return experiments
