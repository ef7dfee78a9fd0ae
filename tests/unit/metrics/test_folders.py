from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graders.errors import UsageError
from graders.metrics.folders import SIDE, read, read_image
from graders.metrics.held import AROUND, held

RANDOM = np.random.default_rng(5)


def draw(folder: Path, count: int, first: int = 0, suffix: str = "png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(RANDOM.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / f"{first + number}.{suffix}")


def laid(folder: Path) -> set[str]:
    top = folder / AROUND / "data"
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


def test_a_fifth_of_a_folder_in_one_piece_is_held_out_and_curves_are_of_neither(tmp_path: Path) -> None:
    draw(tmp_path / "a", 25)
    draw(tmp_path / "b" / "c", 25, suffix="JPG")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    with held("denoising", tmp_path, 3, 4) as kept:
        assert len(laid(kept.folder)) == 40
        assert len(kept.asked.inputs) == 8
        assert len(kept.sample.inputs) == 2
        assert any(name.startswith("b/c/") for name in laid(kept.folder))
        theirs = {read_image(kept.folder / AROUND / "data" / name).tobytes() for name in laid(kept.folder)}
        answers = [*kept.asked.answers, *kept.sample.answers]
        mine = {np.rint((one.transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8).tobytes() for one in answers}
        assert len(theirs | mine) == 50
        first = kept.digest
    with held("denoising", tmp_path, 3, 4) as again, held("denoising", tmp_path, 4, 4) as other:
        assert again.digest == first != other.digest


def test_train_and_test_are_the_split_and_no_image_is_in_both(tmp_path: Path) -> None:
    draw(tmp_path / "train", 12)
    draw(tmp_path / "test", 10)
    (tmp_path / "test" / "copy.png").write_bytes((tmp_path / "train" / "3.png").read_bytes())
    (tmp_path / "test" / "again.png").write_bytes((tmp_path / "test" / "4.png").read_bytes())
    with held("denoising", tmp_path, 3, 4) as kept:
        assert laid(kept.folder) == {f"train/{number}.png" for number in range(12)}
        assert len(kept.asked.inputs) == 8
        assert len(kept.sample.inputs) == 2


def test_inputs_are_the_answers_with_uniform_noise_that_is_cut_off(tmp_path: Path) -> None:
    draw(tmp_path, 40)
    with held("denoising", tmp_path, 3, 4) as kept:
        asked = kept.asked
    assert asked.inputs.dtype == np.float32
    assert asked.inputs.shape == asked.answers.shape == (len(asked.inputs), 3, SIDE, SIDE)
    assert not kept.hints.any()
    assert np.abs(asked.inputs).max() == 1
    inner = np.abs(asked.inputs) < 1
    noise = (asked.inputs - asked.answers)[inner]
    assert -1 <= noise.min() < -0.9
    assert 0.9 < noise.max() <= 1
    dark = asked.answers < -0.9
    assert (asked.inputs[dark] == -1).mean() == pytest.approx(0.5, abs=0.05)  # half of the noise takes it below


def test_an_image_is_read_as_the_handed_out_script_reads_it(tmp_path: Path) -> None:
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[:, :32, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    seen = read_image(tmp_path / "a.png")
    assert not seen[:, :32].any()
    assert (seen[:, 32:] == 255).all()  # transparent is white


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    draw(tmp_path, 12)
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"broken\.png: no image that can be read") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_no_images_and_too_few_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read(tmp_path / "nowhere")
    draw(tmp_path, 3)
    with pytest.raises(UsageError, match="3 images in it; to train and to score wants 10"):
        read(tmp_path)
    draw(tmp_path / "one" / "train", 12)
    (tmp_path / "one" / "test").mkdir()
    (tmp_path / "one" / "test" / "x.png").write_bytes((tmp_path / "one" / "train" / "3.png").read_bytes())
    with pytest.raises(UsageError, match="every image of its test/ is among those of train/"):
        read(tmp_path / "one")
