from __future__ import annotations

import math
from typing import Any

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
        ([-1, 0, -1, 2], "raster", -1),
        ([5, 5], "other", -1),
        ([0, -2], "other", -1),
        ([-1, -1], "none", -1),
    ],
)
def test_the_order_follows_from_the_pixels_that_change(changed: list[int], order: str, offset: int) -> None:
    assert order_of(changed)[:2] == (order, offset)


def ask(frames: Frames, pixels: np.ndarray) -> np.ndarray:
    """Return the stand-in's answer, or 0.5 everywhere as the model's own."""
    _, answer = frames.see(pixels)
    if answer is None:
        answer = np.full(pixels.shape, 0.5, np.float32)
        frames.note(answer)
    return answer


def all_at_once(frames: Frames, pixels: np.ndarray, random: np.random.Generator) -> None:
    for pixel in range(PIXELS):
        p = ask(frames, pixels)[:, pixel]
        pixels[:, pixel] = random.random(len(p)) < p


def one_after_another(frames: Frames, pixels: np.ndarray, random: np.random.Generator) -> None:
    for image in range(len(pixels)):
        all_at_once(frames, pixels[image : image + 1], random)


def in_turn(frames: Frames, pixels: np.ndarray, random: np.random.Generator) -> None:
    for pixel in range(PIXELS):
        for image in range(len(pixels)):
            p = ask(frames, pixels[image : image + 1])[0, pixel]
            pixels[image, pixel] = random.random() < p


def one_of_all(frames: Frames, pixels: np.ndarray, random: np.random.Generator) -> None:
    for image in range(len(pixels)):
        for pixel in range(PIXELS):
            pixels[image, pixel] = random.random() < ask(frames, pixels)[image, pixel]


WAYS = [all_at_once, one_after_another, in_turn, one_of_all]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("begin", ["empty", "images"])
def test_the_stand_in_answers_and_its_word_is_kept_whatever_the_order_of_the_loops(way: Any, begin: str) -> None:
    random, frames = np.random.default_rng(0), Frames(StandIn(1))
    made = np.zeros((4, PIXELS), np.float32)
    if begin == "images":
        made[:] = random.random(made.shape) < 0.2
    way(frames, made, random)
    (run,), arrays = frames.close()
    assert run == {"calls": 1024, "images": 4, "order": "raster", "offset": 0, "stood_in": True}
    np.testing.assert_array_equal(arrays["pixel"], np.arange(PIXELS))
    np.testing.assert_array_equal(arrays["drawn"][:-1], made.T[:-1])
    p = arrays["probability"]
    assert (p[:3] == 0.5).any()
    assert 0.15 < np.isin(p[12:], [0, 1]).mean() < 0.25
    assert (made.T[:-1][p[:-1] == 1] == 1).all()
    assert (made.T[:-1][p[:-1] == 0] == 0).all()
    alike = (p[12:] == p[12:, :1]).all(axis=1).mean()
    assert 0.4 < alike < 0.6


def test_calls_before_the_first_pixel_and_after_the_last_are_no_part_of_it() -> None:
    frames, pixels = Frames(StandIn(1)), np.zeros((2, PIXELS), np.float32)
    ask(frames, pixels)
    all_at_once(frames, pixels, np.random.default_rng(0))
    ask(frames, pixels)
    (run,), arrays = frames.close()
    assert (run["calls"], run["offset"]) == (1024, 0)
    np.testing.assert_array_equal(arrays["drawn"], pixels.T)


def test_images_that_never_change_are_not_generated() -> None:
    frames, pixels = Frames(StandIn(1)), np.zeros((5, PIXELS), np.float32)
    for pixel in range(PIXELS):
        pixels[:2, pixel] = ask(frames, pixels)[:2, pixel] > 0.5
    (run,), arrays = frames.close()
    assert run["images"] == 2
    assert arrays["drawn"].shape == (1024, 2)


def test_many_images_are_counted_and_some_looked_at() -> None:
    frames, pixels = Frames(StandIn(1)), np.zeros((40, PIXELS), np.float32)
    all_at_once(frames, pixels, np.random.default_rng(0))
    (run,), arrays = frames.close()
    assert run["images"] == 40
    assert arrays["drawn"].shape == (1024, 16)


def test_a_model_that_returns_no_image_gets_no_stand_in() -> None:
    frames, pixels = Frames(StandIn(1)), np.zeros((2, PIXELS), np.float32)
    for pixel in range(30):
        assert frames.see(pixels)[1] is None
        frames.note(None)
        pixels[:, pixel] = 1
    assert frames.close() == ([], {})


def test_evaluating_the_same_batches_again_and_again_gets_no_stand_in() -> None:
    frames, random = Frames(StandIn(1)), np.random.default_rng(0)
    batches = (random.random((3, 32, PIXELS)) < 0.2).astype(np.float32)
    assert [frames.see(batches[i % 3])[1] for i in range(60)] == [None] * 60


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
        ask(frames, pixels)
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
