from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from graders.data.calligraphy import draw
from graders.errors import UsageError


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, 120, 30, seed=0)
    return folder


def images(folder: Path) -> NDArray[np.uint8]:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.jpg"))])


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]


def test_as_many_images_as_asked_for_of_the_handouts_size(drawn: Path) -> None:
    assert images(drawn / "train").shape == (120, 64, 64)
    assert images(drawn / "test").shape == (30, 64, 64)


def test_images_are_grey_jpg_files_of_black_ground_and_white_strokes(drawn: Path) -> None:
    with Image.open(drawn / "train" / "00000.jpg") as first:
        assert (first.format, first.mode) == ("JPEG", "L")
    levels = images(drawn / "train")
    assert 0.9 < np.mean((levels < 40) | (levels > 215)) < 0.995


def test_the_share_of_white_is_near_the_real_images(drawn: Path) -> None:
    small = [np.asarray(Image.open(path).resize((32, 32), Image.Resampling.BILINEAR)) for path in drawn.rglob("*.jpg")]
    white = np.mean(np.stack(small) / 255 >= 0.33, axis=(1, 2))
    assert 0.15 < white.mean() < 0.25  # 0.20 in the real ones
    assert 0.03 < white.std() < 0.08  # 0.06 in the real ones
    assert white.min() > 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(drawn: Path, tmp_path: Path) -> None:
    draw(tmp_path / "same", 120, 30, seed=0)
    draw(tmp_path / "other", 120, 30, seed=1)
    assert contents(tmp_path / "same") == contents(drawn)
    assert not set(contents(tmp_path / "other")) & set(contents(drawn))


def test_no_image_comes_twice_and_none_of_the_test_is_in_the_training_set(drawn: Path) -> None:
    assert len(set(contents(drawn))) == 150


def test_two_data_sets_are_not_mixed(drawn: Path) -> None:
    with pytest.raises(UsageError, match=r"train: there is something already"):
        draw(drawn, 3, 3, seed=1)
    assert len(contents(drawn)) == 150


def test_without_pillow_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(UsageError, match="pip install pillow"):
        draw(tmp_path, 1, 1, seed=0)
