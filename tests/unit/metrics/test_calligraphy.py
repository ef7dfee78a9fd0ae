from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graders.data import calligraphy
from graders.errors import UsageError
from graders.metrics.calligraphy import WEIGHTS, binarised
from graders.metrics.held import AROUND, held
from graders.metrics.sources import SOURCES


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("characters")
    calligraphy.draw(folder, 12, 30, seed=3)
    return folder


def test_what_is_held_out_is_not_laid_and_all_else_is(data: Path) -> None:
    with held("pixelcnn", data, 5, 4) as kept:
        around = kept.folder / AROUND / "pa2"
        laid = {path.name for path in (around / "test").iterdir()}
        assert len(laid) == 6
        assert laid <= {path.name for path in (data / "test").iterdir()}
        for name in laid:
            assert (around / "test" / name).read_bytes() == (data / "test" / name).read_bytes()
        assert sorted(path.name for path in (around / "train").iterdir()) == sorted(
            path.name for path in (data / "train").iterdir()
        )
        rest = {path.name for path in (data / "test").iterdir()} - laid
        asked = {image.tobytes() for image in kept.asked.inputs[~kept.controls]}
        assert asked == {binarised(data / "test" / name).tobytes() for name in rest}
        assert kept.asked.inputs.shape == (48, 32, 32, 1)
        assert not kept.hints.any()
        assert "weights" not in kept.targets
        assert (around / "train" / "00000.jpg").stat().st_mode & 0o022 == 0


def test_tossed_pixels_hide_among_what_is_asked(data: Path) -> None:
    with held("pixelcnn", data, 5, 4) as kept:
        assert kept.controls.sum() == 24
        tossed = kept.asked.inputs[kept.controls]
        assert set(np.unique(tossed)) == {0, 1}
        assert abs(tossed.mean() - 0.5) < 0.02  # four deviations of 24,576 tosses
        assert kept.asked.inputs[~kept.controls].mean() < 0.4


def test_the_weights_of_the_course_are_laid_where_they_are_there(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "pa2")
    (tmp_path / "pa2" / WEIGHTS).write_bytes(b"weights")
    with held("pixelcnn", tmp_path / "pa2", 5, 4) as kept, held("pixelcnn", data, 5, 4) as other:
        assert (kept.folder / AROUND / kept.targets["weights"]).read_bytes() == b"weights"
        assert kept.digest != other.digest


def test_no_more_images_are_asked_about_than_a_processor_can_answer(data: Path) -> None:
    source = SOURCES["pixelcnn"](data)
    assert len(source.ask(np.zeros(1500, np.intp)).inputs) == 256


def test_images_are_prepared_as_the_handout_says(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    for level, white in ((84, 0), (85, 1)):  # 0.3294 and 0.3333
        Image.new("RGB", (64, 48), (level, level, level)).save(path)
        assert binarised(path).shape == (32, 32)
        assert (binarised(path) == white).all()


def test_what_lacks_is_said_in_a_line(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train: not there; give a folder"), held("pixelcnn", tmp_path, 1, 4):
        pass
    shutil.copytree(data / "train", tmp_path / "train")
    (tmp_path / "test").mkdir()
    with pytest.raises(UsageError, match="test: no images in it"), held("pixelcnn", tmp_path, 1, 4):
        pass
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / "test" / name).write_bytes(b"no image")
    with pytest.raises(UsageError, match="no image that can be read"), held("pixelcnn", tmp_path, 1, 4):
        pass
