from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from graders.data import weights
from graders.data.weights import reference_weights, train_weights
from graders.errors import Fault, UsageError
from graders.home import reference_path

SIZES = {"n_resnet": 2, "n_filters": 4, "n_block": 2, "n_output": 3}
# Loads a file into new models, in Keras 3 and, where it is installed, in Keras 2, and saves what they then hold.
LOAD = """
import runpy, sys
import numpy as np
training = runpy.run_path(sys.argv[1])
names = training["definitions"]()
names["keras"].utils.set_random_seed(7)
model = training["build"](names, 2, 4, 2, 3)
model.load_weights(sys.argv[2])
np.savez(sys.argv[3], *[w.numpy() for layer in model.layers for w in layer.trainable_weights])
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "pixel_cnn_e5.h5"
    path.write_bytes(reference_weights("pixelcnn", SIZES, seed=3))
    return path


def stored(path: Path) -> list[np.ndarray]:
    with h5py.File(path) as file:
        groups = [file[name] for name in file.attrs["layer_names"]]
        return [np.asarray(group[name]) for group in groups for name in group.attrs["weight_names"]]


def test_the_file_has_the_layout_of_keras_2_and_the_order_of_section_4_2_5(small: Path) -> None:
    resnet = [(2, 2, 8, 4), (4,), (2, 2, 8, 8), (8,)]
    backbone = [(1, 3, 1, 4), (4,), (2, 1, 1, 4), (4,), (4, 3), (3,), *resnet * 4, (4, 4), (4,), (4, 4), (4,)]
    assert [one.shape for one in stored(small)] == [*backbone, (1, 1, 3, 1), (1,)]


@pytest.mark.parametrize("legacy", ["0", "1"])
def test_keras_2_and_3_load_exactly_what_is_in_the_file(small: Path, tmp_path: Path, legacy: str) -> None:
    if legacy == "1":
        pytest.importorskip("tf_keras", reason="Keras 2 (tf_keras) is not installed")
    script = reference_path("pixelcnn").with_name("training.py")
    out = tmp_path / "loaded.npz"
    env = {"TF_USE_LEGACY_KERAS": legacy, "TF_CPP_MIN_LOG_LEVEL": "3", "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-c", LOAD, script, small, out], env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with np.load(out) as loaded:
        found = [loaded[name] for name in loaded.files]
    assert len(found) == len(stored(small))
    assert all(np.array_equal(one, two) for one, two in zip(found, stored(small), strict=True))


def test_a_folder_without_images_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder train/ with \.jpg files"):
        train_weights("pixelcnn", tmp_path / "none", tmp_path / "w.h5", {}, print)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.npz"])
def test_a_name_that_keras_reads_in_another_layout_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match=r"must end in \.h5"):
        train_weights("pixelcnn", tmp_path, tmp_path / name, {}, print)


def test_where_the_reference_is_not_shipped_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rubrics").mkdir()
    monkeypatch.setenv("GRADERS_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="the reference solution is needed"):
        reference_weights("pixelcnn", {}, seed=0)


def test_without_tensorflow_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="tensorflow, which is not installed"):
        reference_weights("pixelcnn", {}, seed=0)


def test_a_training_that_breaks_leaves_the_old_file_and_shows_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "training.py"
    script.write_text("print('{\"epoch\": 1}')\nraise ValueError('no memory left')\n")
    monkeypatch.setattr(weights, "_script", lambda slug: script)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0.jpg").write_bytes(b"")
    out, told = tmp_path / "w.h5", []
    out.write_bytes(b"old")
    with pytest.raises(Fault, match="status 1: ValueError: no memory left"):
        train_weights("pixelcnn", tmp_path, out, {}, told.append)
    assert (out.read_bytes(), told) == (b"old", [{"epoch": 1}])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "training.py", "w.h5"]
