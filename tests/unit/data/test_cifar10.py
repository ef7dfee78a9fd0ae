from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.data.cifar10 import BINARY, PYTHON, Images, draw, read, write
from graders.errors import UsageError

RECORD = 1 + 3072


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, 60, 20, seed=0)
    return folder


def some(count: int) -> Images:
    random = np.random.default_rng(count)
    return Images(random.integers(0, 256, (count, 32, 32, 3), np.uint8), random.integers(0, 10, count).astype(np.uint8))


def binary(part: Images) -> bytes:
    """The records of the binary version, byte by byte as its description has them."""
    records = []
    for image, label in zip(part.images, part.labels, strict=True):
        planes = [bytes(image[:, :, channel].ravel()) for channel in range(3)]
        records.append(bytes([label]) + b"".join(planes))
    return b"".join(records)


def python_2(part: Images) -> bytes:
    """A batch as Python 2 pickled it, which is how it is published: text is bytes there."""
    planes = part.images.transpose(0, 3, 1, 2).tobytes()
    count = len(part.labels)
    return b"".join(
        [
            b"\x80\x02}(U\x0bbatch_labelU\x15training batch 1 of 5U\x06labels](",
            *(b"K" + bytes([label]) for label in part.labels),
            b"eU\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R",
            b"(K\x01K" + bytes([count]) + b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + len(planes).to_bytes(4, "little"),
            planes,
            b"tbu.",
        ]
    )


def same(one: Images, two: Images) -> bool:
    return np.array_equal(one.images, two.images) and np.array_equal(one.labels, two.labels)


def put(folder: Path, name: str, ending: str, train: bytes, test: bytes) -> Path:
    (folder / name).mkdir()
    (folder / name / f"data_batch_1{ending}").write_bytes(train)
    (folder / name / f"test_batch{ending}").write_bytes(test)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_binary_version(tmp_path: Path) -> None:
    put(tmp_path, BINARY, ".bin", binary(some(3)), binary(some(2)))
    train, test = read(tmp_path)
    assert same(train, some(3))
    assert same(test, some(2))
    assert same(read(tmp_path / BINARY)[0], train)


def test_the_python_version_as_it_is_published(tmp_path: Path) -> None:
    train, test = read(put(tmp_path, PYTHON, "", python_2(some(3)), python_2(some(2))))
    assert same(train, some(3))
    assert same(test, some(2))


def test_what_is_written_is_read_again_and_by_others(tmp_path: Path) -> None:
    write(tmp_path, some(12), some(4))
    train, test = read(tmp_path)
    assert same(train, some(12))
    assert same(test, some(4))
    batch = pickle.loads((tmp_path / PYTHON / "data_batch_2").read_bytes(), encoding="bytes")
    assert batch[b"data"].shape == (3, 3072)
    assert batch[b"labels"] == some(12).labels[3:6].tolist()


def test_nothing_that_a_pickle_names_is_called(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "called",)

    put(tmp_path, PYTHON, "", pickle.dumps({b"data": Evil(), b"labels": [1]}), b"")
    assert "data_batch_1: no batch of CIFAR-10 (UnpicklingError: it names " in refused(tmp_path)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    "batch",
    [
        b"",
        b"no pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8)}, protocol=4),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]}, protocol=4),
        pickle.dumps({b"data": np.zeros((2, 3071), np.uint8), b"labels": [1, 2]}, protocol=4),
        pickle.dumps({b"data": np.zeros((2, 3072), np.float32), b"labels": [1, 2]}, protocol=4),
        pickle.dumps({b"data": np.zeros((0, 3072), np.uint8), b"labels": []}, protocol=4),
        pickle.dumps({b"data": b"text", b"labels": [1]}, protocol=4),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1.5, 2]}, protocol=4),
    ],
)
def test_no_batch_is_told_in_one_line(tmp_path: Path, batch: bytes) -> None:
    assert "data_batch_1: no batch of CIFAR-10" in refused(put(tmp_path, PYTHON, "", batch, b""))


@pytest.mark.parametrize("labels", [[1, 10], [-1, 2]])
def test_labels_are_between_0_and_9(tmp_path: Path, labels: list[int]) -> None:
    batch = pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": labels}, protocol=4)
    assert "data_batch_1: a label that is not between 0 and 9" in refused(put(tmp_path, PYTHON, "", batch, b""))


@pytest.mark.parametrize("size", [0, RECORD - 1, RECORD + 1])
def test_broken_records(tmp_path: Path, size: int) -> None:
    put(tmp_path, BINARY, ".bin", bytes(size), bytes(RECORD))
    assert f"data_batch_1.bin: {size} bytes are no whole number of records" in refused(tmp_path)


def test_parts_that_are_missing(tmp_path: Path) -> None:
    assert "no CIFAR-10 in it" in refused(tmp_path)
    (tmp_path / BINARY).mkdir()
    (tmp_path / BINARY / "test_batch.bin").write_bytes(bytes(RECORD))
    assert "data_batch_1.bin: not there" in refused(tmp_path)


def test_a_file_beyond_all_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.data.cifar10._MOST_BYTES", 2 * RECORD)
    put(tmp_path, BINARY, ".bin", bytes(3 * RECORD), bytes(RECORD))
    assert "larger than any batch" in refused(tmp_path)


class TestDrawn:
    def test_as_many_images_of_each_class(self, drawn: Path) -> None:
        train, test = read(drawn)
        assert (train.images.shape, test.images.shape) == ((60, 32, 32, 3), (20, 32, 32, 3))
        assert np.bincount(train.labels).tolist() == [6] * 10
        assert np.bincount(test.labels).tolist() == [2] * 10

    def test_the_same_seed_gives_the_same_images(self, drawn: Path, tmp_path: Path) -> None:
        draw(tmp_path / "again", 30, 20, seed=0)
        draw(tmp_path / "other", 30, 20, seed=1)
        whole, again, other = (read(folder)[0] for folder in (drawn, tmp_path / "again", tmp_path / "other"))
        assert np.array_equal(whole.images[:30], again.images)
        assert not np.array_equal(again.images, other.images)
        assert len(np.unique(whole.images, axis=0)) == 60, "no image twice"

    def test_classes_differ_by_more_than_images_of_one(self, drawn: Path) -> None:
        train, test = read(drawn)
        features = [part.images.mean((1, 2)) for part in (train, test)]
        means = np.stack([features[0][train.labels == label].mean(0) for label in range(10)])
        nearest = np.linalg.norm(features[1][:, None] - means, axis=-1).argmin(1)
        assert np.mean(nearest == test.labels) > 0.3, "a tenth would be chance"

    def test_no_two_sets_are_mixed(self, drawn: Path) -> None:
        with pytest.raises(UsageError, match="there is something already"):
            draw(drawn, 1, 1, seed=0)
