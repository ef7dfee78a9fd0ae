from __future__ import annotations

import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graders.data.cifar10 import CLASSES, PYTHON, read
from graders.data.cifar10 import write as write_cifar10
from graders.data.pack import pack
from graders.errors import UsageError
from tests.submissions.conftest import graders
from tests.unit.data.test_cifar10 import same, some


def put(path: Path, number: int, size: tuple[int, ...] = (32, 32, 3)) -> np.ndarray:
    """Write an image of random pixels and return them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, size, np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def deep(path: Path) -> None:
    """Write a grey image of 16 bits."""
    Image.fromarray(np.full((32, 32), 60_000, np.uint16)).save(path)


def bomb(path: Path, side: int) -> None:
    """Write a small file that says it is an image of so many pixels in each direction."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(1000)))]
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


@pytest.fixture
def classes(tmp_path: Path) -> tuple[Path, dict[str, list[np.ndarray]]]:
    """A folder of CIFAR-10's classes with two images for training and one for the test in each."""
    made: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for label, name in enumerate(CLASSES):
        for part, count in (("train", 2), ("test", 1)):
            for number in range(count):
                path = tmp_path / "images" / part / name / f"{number}.png"
                made[part].append(put(path, 100 * label + 10 * number + (part == "test")))
    return tmp_path / "images", made


def refused(folder: Path, out: Path) -> str:
    with pytest.raises(UsageError) as caught:
        pack(folder, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not list(out.parent.glob(".packed-*"))
    return str(caught.value)


def test_folders_of_classes(classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    folder, made = classes
    said = pack(folder, tmp_path / "new" / "all.npz")
    assert said == f"{tmp_path / 'new' / 'all.npz'}: 20 for train, 10 for test, 32x32x3, 10 classes"
    with np.load(tmp_path / "new" / "all.npz") as file:
        assert sorted(file) == ["classes", "x_test", "x_train", "y_test", "y_train"]
        assert file["classes"].tolist() == list(CLASSES)
        assert np.array_equal(file["x_train"], np.stack(made["train"]))
        assert np.array_equal(file["x_test"], np.stack(made["test"]))
        assert file["y_train"].tolist() == [label for label in range(10) for _ in range(2)]
    assert same(read(tmp_path / "new" / "all.npz")[1], read(tmp_path / "new" / "all.npz")[1])


def test_both_forms_are_read_alike(classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    folder, _ = classes
    pack(folder, tmp_path / "all.npz")
    pack(folder, tmp_path / "published")
    assert (tmp_path / "published" / PYTHON / "test_batch").is_file()
    pairs = zip(read(tmp_path / "all.npz"), read(tmp_path / "published"), strict=True)
    assert all(same(one, other) for one, other in pairs)
    assert read(tmp_path / "published")[0].labels.tolist() == sorted(2 * list(range(10)))


def test_the_published_format_is_packed_too(tmp_path: Path) -> None:
    write_cifar10(tmp_path, some(15), some(5))
    assert "15 for train, 5 for test" in pack(tmp_path, tmp_path / "all.npz")
    assert same(read(tmp_path / "all.npz")[0], some(15))
    assert same(read(tmp_path / "all.npz")[1], some(5))


def test_images_without_classes(tmp_path: Path) -> None:
    grey = put(tmp_path / "in" / "train" / "b.png", 1, (6, 5))
    first = put(tmp_path / "in" / "train" / "A.PNG", 2, (6, 5))
    (tmp_path / "in" / "train" / "notes.txt").write_text("no image")
    (tmp_path / "in" / "train" / "._b.png").write_text("a file system's own")
    assert pack(tmp_path / "in", tmp_path / "all.npz").endswith("2 for train, 6x5, 0 classes")
    with np.load(tmp_path / "all.npz") as file:
        assert sorted(file) == ["x_train"]
        assert np.array_equal(file["x_train"], np.stack([first, grey]))


def test_images_that_are_no_cifar_10_need_a_file(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        put(tmp_path / "in" / "train" / name / "0.png", 1)
        put(tmp_path / "in" / "test" / name / "0.png", 2)
    assert "give a name that ends in .npz instead of out" in refused(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "test" / "cat" / "0.png").unlink()
    (tmp_path / "in" / "test" / "dog" / "0.png").unlink()
    (tmp_path / "in" / "test" / "cat").rmdir()
    (tmp_path / "in" / "test" / "dog").rmdir()
    (tmp_path / "in" / "test").rmdir()
    assert "no x_test, but" in refused(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "train" / "cat" / "0.png").write_bytes(b"no image"), "cat/0.png: no image that can be"),
        (lambda root: put(root / "train" / "dog" / "0.png", 1, (32, 31, 3)), "dog/0.png: 32x31x3 where the first"),
        (lambda root: put(root / "test" / "dog" / "0.png", 1, (32, 32)), "dog/0.png: 32x32 where the first"),
        (lambda root: put(root / "train" / "fox" / "0.png", 1), "test/fox: not there, but"),
        (lambda root: put(root / "test" / "fox" / "0.png", 1), "train/fox: not there, but"),
        (lambda root: put(root / "test" / "0.png", 1), "test/0.png: an image beside folders of classes"),
        (lambda root: put(root / "train" / "dog" / "0.png", 1, (2100, 2100)), "2100x2100 pixels are too many"),
        (lambda root: (root / "test" / "dog" / "0.png").unlink(), "test/dog: no images in it"),
        (lambda root: (root / "test" / "dog" / "1.png").symlink_to("nowhere"), "1.png: named like an image, but no"),
        (lambda root: deep(root / "test" / "dog" / "0.png"), "0.png: more than 8 bits a channel (I;16)"),
        (lambda root: bomb(root / "test" / "dog" / "0.png", 60_000), "0.png: no image that can be read (Decomp"),
        (lambda root: bomb(root / "test" / "dog" / "0.png", 10_000), "10000x10000 pixels are too many"),
    ],
)
def test_one_line_names_the_file_that_is_not_as_the_others(
    classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path, spoil: object, message: str
) -> None:
    spoil(classes[0])  # type: ignore[operator]
    assert message in refused(classes[0], tmp_path / "all.npz")


def test_folders_without_images(tmp_path: Path) -> None:
    assert "no CIFAR-10 in it" in refused(tmp_path, tmp_path / "all.npz")
    (tmp_path / "train").mkdir()
    assert "train: no images in it" in refused(tmp_path, tmp_path / "all.npz")
    assert "none: no such folder" in refused(tmp_path / "none", tmp_path / "all.npz")


def test_what_is_there_is_left_alone(classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    (tmp_path / "all.npz").write_text("mine")
    with pytest.raises(UsageError, match="there is something already"):
        pack(classes[0], tmp_path / "all.npz")
    assert (tmp_path / "all.npz").read_text() == "mine"


def test_a_broken_file_of_numpy_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK no zip")
    with pytest.raises(UsageError, match=r"a\.npz: no packed CIFAR-10 .*; pack it again$"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", x_train=np.zeros((2, 8, 8, 3), np.uint8), y_train=np.zeros(2, np.uint8))
    with pytest.raises(UsageError, match=r"x_test"):
        read(tmp_path / "b.npz")
    one = {"x_test": np.zeros((1, 32, 32, 3), np.uint8), "y_test": np.full(1, 10, np.uint8)}
    np.savez(tmp_path / "c.npz", x_train=np.zeros((2, 8, 8, 3), np.uint8), y_train=np.zeros(2, np.uint8), **one)
    with pytest.raises(UsageError, match=r"not CIFAR-10: images of \(8, 8, 3\)"):
        read(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", x_train=one["x_test"], y_train=np.zeros(1, np.uint8), **one)
    with pytest.raises(UsageError, match="a label that is not between 0 and 9"):
        read(tmp_path / "d.npz")


def test_a_file_of_pickles_is_not_loaded(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], object)
    np.savez(tmp_path / "a.npz", x_train=objects, y_train=objects, x_test=objects, y_test=objects)
    with pytest.raises(UsageError, match="no packed CIFAR-10"):
        read(tmp_path / "a.npz")


def test_a_disk_that_takes_no_more(classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from graders.data.pack import pack; pack(*map(Path, sys.argv[1:]))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(classes[0]), str(tmp_path / "all.npz")],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    assert "all.npz: File too large; mend it and run the same command again" in run.stderr
    assert not (tmp_path / "all.npz").exists()
    assert not list(tmp_path.glob(".packed-*"))


def test_the_command(classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path) -> None:
    run = graders("data", "pack", classes[0], "-o", "all.npz", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "all.npz: 20 for train, 10 for test, 32x32x3, 10 classes\n")
    again = graders("data", "pack", classes[0], "-o", "all.npz", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr == "graders: all.npz: there is something already; remove it or give another name\n"


def test_a_folder_that_cannot_be_read_is_one_line(
    classes: tuple[Path, dict[str, list[np.ndarray]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so that the system's refusal is made up."""
    locked = classes[0] / "test" / "cat"
    listed = Path.iterdir

    def iterdir(folder: Path) -> object:
        if folder == locked:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert f"{locked}: Permission denied; mend it and run" in refused(classes[0], tmp_path / "all.npz")
