from __future__ import annotations

import math

import numpy as np
import pytest

from graders.probes.recorder_frames import PIXELS, Frames, StandIn, order_of
from graders.probes.recorder_images import Images, digest, losses_of
from graders.probes.recorder_notes import clean, numbers_in
from graders.probes.recorder_shrink import Shrinker

ARGUMENTS = ("n_resnet", "n_filters", "n_block", "n_output")


@pytest.mark.parametrize(
    ("changed", "order", "offset"),
    [
        ([0, -1, 2, -1], "raster", 0),
        ([512, 513, -1], "raster", 512),
        ([0, 32, -1, 96], "columns", 0),
        ([1023, 1022], "reversed", 0),
        ([5, 5], "other", -1),
        ([-1, -1], "none", -1),
    ],
)
def test_the_order_follows_from_the_pixels_that_change(changed: list[int], order: str, offset: int) -> None:
    assert order_of(changed)[:2] == (order, offset)


def generate(frames: Frames, images: int, random: np.random.Generator) -> np.ndarray:
    pixels = np.zeros((images, PIXELS), np.float32)
    for pixel in range(PIXELS):
        _, answer = frames.see(pixels)
        p = answer if answer is not None else np.full(pixels.shape, 0.5, np.float32)
        frames.note(p)
        pixels[:, pixel] = random.random(images) < p[:, pixel]
    return pixels


def test_the_stand_in_answers_from_the_fourth_step_on_and_its_word_is_kept() -> None:
    frames = Frames(StandIn(1))
    made = generate(frames, 10, np.random.default_rng(0))
    (run,), arrays = frames.close()
    assert run == {"calls": 1024, "images": 10, "order": "raster", "offset": 0, "stood_in": True}
    np.testing.assert_array_equal(arrays["pixel"], np.arange(PIXELS))
    np.testing.assert_array_equal(arrays["drawn"][:-1], made.T[:-1])
    assert (arrays["probability"][:3] == 0.5).all()
    assert 0.15 < np.isin(arrays["probability"], [0, 1]).mean() < 0.25
    alike = (arrays["probability"] == arrays["probability"][:, :1]).all(axis=1).mean()
    assert 0.4 < alike < 0.6


def test_images_one_after_another_are_runs_of_one_record() -> None:
    frames = Frames(StandIn(1))
    for image in range(3):
        generate(frames, 1, np.random.default_rng(image))
    runs, arrays = frames.close()
    assert [run["calls"] for run in runs] == [1024] * 3
    assert arrays["drawn"].shape == (3 * 1024, 1)


def test_whole_images_are_no_generation_and_get_no_stand_in() -> None:
    frames, random = Frames(StandIn(1)), np.random.default_rng(0)
    for _ in range(40):
        begins, answer = frames.see((random.random((2, PIXELS)) < 0.5).astype(np.float32))
        assert begins
        assert answer is None
    assert frames.close() == ([], {})
    assert frames.jumps == 40


def test_the_same_images_between_training_steps_are_no_generation() -> None:
    frames, pixels = Frames(StandIn(1)), np.zeros((2, PIXELS), np.float32)
    for _ in range(20):
        assert frames.see(pixels) == (True, None)
        frames.interrupt()
    assert frames.close() == ([], {})


def test_a_value_that_is_not_binary_is_told() -> None:
    frames, pixels = Frames(None), np.zeros((1, PIXELS), np.float32)
    for pixel in range(20):
        frames.see(pixels)
        frames.note(pixels)
        pixels[:, pixel] = 0.25 if pixel == 7 else 1.0
    _, arrays = frames.close()
    assert np.flatnonzero(arrays["drawn"][:-1] == 2).tolist() == [7]


def test_a_grey_image_has_the_number_of_its_binary_one() -> None:
    images, random = Images(), np.random.default_rng(0)
    grey = random.random((3, 32, 32, 1)).astype(np.float32)
    assert images.note(grey).tolist() == [0, 1, 2]
    assert images.note((grey[::-1] >= 0.33).astype(np.int64)).tolist() == [2, 1, 0]
    assert images.take().shape == (3, 128)
    assert images.take().shape == (0, 128)
    assert images.note(np.zeros((2, 28, 28, 1))).tolist() == [-1, -1]


def test_losses_are_those_of_probabilities_or_of_logits() -> None:
    y = np.zeros((2, 32, 32, 1))
    each, logits = losses_of(np.full(y.shape, 0.25), y)
    assert not logits
    np.testing.assert_allclose(each, -math.log(0.75), rtol=1e-6)
    each, logits = losses_of(np.full(y.shape, -2.0), y)
    assert logits
    np.testing.assert_allclose(each, math.log1p(math.exp(-2)), rtol=1e-6)


def test_a_digest_sees_values_and_shape_but_no_axes_of_length_one() -> None:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest([kernel]) == digest([kernel.reshape(1, 1, 2, 3)])
    assert len({*digest([kernel, kernel.T, kernel + 1])}) == 3


def test_details_are_plain_json() -> None:
    assert clean({"a": float("nan"), "b": np.float32(0.5), "c": [np.int64(3), object()]}) == {
        "a": None,
        "b": 0.5,
        "c": [3, "object"],
    }
    assert numbers_in(("loss 0.25, epoch 3", 0.5)) == [0.25, 0.5]


class Backbone:
    def __init__(self, *, n_filters: int = 64, n_resnet: int = 6, num_blocks: int = 6, n_out: int = 10) -> None:
        self.sizes = (n_resnet, n_filters, num_blocks, n_out)


class AutoregressiveModel:
    def __init__(self, a: int, b: int, c: int, d: int) -> None:
        self.sizes = (a, b, c, d)


class Other:
    def __init__(self, n_filters: int) -> None:
        self.sizes = (n_filters,)


def test_only_a_class_with_the_arguments_of_c7_is_made_small() -> None:
    shrinker = Shrinker(ARGUMENTS, {"n_resnet": 2, "n_filters": 6, "n_block": 3, "n_output": 4})
    for cls in (Backbone, AutoregressiveModel, Other):
        shrinker.take(cls)
        shrinker.take(cls)  # once is enough
    made = Backbone(n_filters=32)
    assert made.sizes == (2, 6, 3, 4)
    assert shrinker.builds[made] == {"n_resnet": 6, "n_filters": 32, "n_block": 6, "n_output": 10}
    assert AutoregressiveModel(6, 64, 6, 10).sizes == (2, 6, 3, 4)
    assert Other(64).sizes == (64,)
    with pytest.raises(TypeError, match="n_filter"):
        Backbone(n_filter=32)  # type: ignore[call-arg]
