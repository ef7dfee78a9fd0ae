"""The small data of handout C: read as its notebook and its template read them."""

from __future__ import annotations

import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.data import horses
from graders.data.cifar10 import PYTHON


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("horses")
    horses.draw(folder, 5)
    return folder / "data"


def batch(path: Path) -> dict[str, Any]:
    """Read a batch as the handout's notebook does."""
    found = pickle.loads(path.read_bytes(), encoding="bytes")
    return {key.decode(): value for key, value in found.items()}


def test_a_batch_has_the_size_of_a_published_one_and_takes_little_room(data: Path) -> None:
    number = 0
    for name in (*(f"data_batch_{at}" for at in range(1, 6)), "test_batch"):
        found = batch(data / PYTHON / name)
        assert (found["data"].shape, found["data"].dtype) == ((10_000, 3072), np.uint8)
        assert len(found["labels"]) == 10_000
        assert set(found["labels"]) == set(range(10))
        assert (data / PYTHON / name).stat().st_size < 500_000
        number += found["labels"].count(horses.HORSE)
    assert number == horses.TRAIN + horses.TEST


def test_the_arrays_hold_the_same_horses(data: Path) -> None:
    arrays = np.load(data / "cifar10.npz")
    for part, names in (("train", [f"data_batch_{at}" for at in range(1, 6)]), ("test", ["test_batch"])):
        found = [batch(data / PYTHON / name) for name in names]
        planes = np.concatenate([one["data"][np.array(one["labels"]) == horses.HORSE] for one in found])
        images = arrays[f"x_{part}"][arrays[f"y_{part}"] == horses.HORSE]
        np.testing.assert_array_equal(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), images)
        assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_the_colours_are_24_different_ones_between_0_and_1(data: Path) -> None:
    colours = np.load(data / "colours" / "colour_kmeans24_cat7.npy", allow_pickle=True, encoding="bytes")[0]
    assert colours.shape == (24, 3)
    assert len(np.unique(colours, axis=0)) == 24
    assert 0 <= colours.min() < colours.max() <= 1


def test_the_archives_unpack_to_the_folders(data: Path, tmp_path: Path) -> None:
    for name in (PYTHON, "colours"):
        with tarfile.open(data / f"{name}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
        wanted = {path.name: path.read_bytes() for path in (data / name).iterdir()}
        assert {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} == wanted


def test_a_seed_gives_the_same_files_and_another_others(data: Path, tmp_path: Path) -> None:
    horses.draw(tmp_path / "same", 5)
    horses.draw(tmp_path / "other", 6)
    for path in (path for path in data.rglob("*") if path.is_file() and path.name != "batches.meta"):
        name = path.relative_to(data.parent)
        assert (tmp_path / "same" / name).read_bytes() == path.read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != path.read_bytes()
