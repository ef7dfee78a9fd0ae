from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from graders.data import cifar10
from graders.errors import UsageError
from graders.metrics.held import AROUND, held
from graders.metrics.sources import PACKED


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 40, 30, seed=3)
    return folder


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


def test_what_is_held_out_is_not_in_the_folder_and_labels_do_not_go_with_it(data: Path) -> None:
    with held("acgan", data, 5, 4) as kept, np.load(kept.folder / AROUND / PACKED) as given:
        assert len(given["x_train"]) == 40
        assert len(given["x_test"]) == 6
        assert len(kept.asked.inputs) == 24
        assert not rows(kept.asked.inputs) & rows(np.concatenate([given["x_test"], given["x_train"]]))
        assert len(rows(kept.asked.inputs) | rows(given["x_test"])) == 30
        assert not kept.hints.any()
        assert kept.asked.answers.any()
        assert not kept.controls.any()
        assert rows(kept.sample.inputs) == rows(given["x_test"][:4])
        assert kept.folder.stat().st_mode & 0o055 == 0o055  # others may read, nobody else may write
        assert not (kept.folder / AROUND / PACKED).stat().st_mode & stat.S_IWOTH
    assert not kept.folder.exists()


def test_scattered_pixels_hide_among_what_is_reconstructed(data: Path) -> None:
    with held("vae", data, 5, 4) as kept:
        assert kept.controls.sum() == 24
        assert len(kept.asked.inputs) == 48
        sums = np.sort(kept.asked.inputs[kept.controls].sum(axis=(1, 2, 3), dtype=int))
        np.testing.assert_array_equal(sums, np.sort(kept.asked.inputs[~kept.controls].sum(axis=(1, 2, 3), dtype=int)))
        np.testing.assert_array_equal(kept.hints, kept.asked.answers)  # a CVAE wants the class
        assert not np.array_equal(np.flatnonzero(kept.controls), np.arange(24, 48))


def test_the_seed_decides_what_is_held_out(data: Path) -> None:
    def digest(seed: int) -> str:
        with held("acgan", data, seed, 4) as kept:
            return kept.digest

    assert digest(1) == digest(1) != digest(2)


def test_an_archive_of_numpy_is_read_too(data: Path, tmp_path: Path) -> None:
    train, test = cifar10.read(data)
    arrays = {"x_train": train.images, "y_train": train.labels, "x_test": test.images, "y_test": test.labels[:, None]}
    np.savez(tmp_path / "cifar10.npz", **arrays)
    with held("acgan", tmp_path, 1, 4) as one, held("acgan", data, 1, 4) as other:
        assert one.digest == other.digest
    np.savez(tmp_path / "cifar10.npz", **{**arrays, "y_train": train.labels + 1})
    with pytest.raises(UsageError, match="a label"), held("acgan", tmp_path, 1, 4):
        pass
    (tmp_path / "cifar10.npz").write_bytes(b"PK")
    with pytest.raises(UsageError, match="no packed CIFAR-10"), held("acgan", tmp_path, 1, 4):
        pass


def test_no_data_and_too_little_data_are_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no CIFAR-10 in it"), held("vae", tmp_path, 1, 4):
        pass
    cifar10.draw(tmp_path, 5, 1, seed=1)
    with pytest.raises(UsageError, match="too few"), held("vae", tmp_path, 1, 4):
        pass
    with pytest.raises(UsageError, match="no data for other"), held("other", tmp_path, 1, 4):
        pass
