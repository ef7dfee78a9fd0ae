from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from graders.home import home
from graders.metrics.scores import SCORERS, Asked, Unfit, share, ssim

RANDOM = np.random.default_rng(7)


def images(count: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def planes(pictures: np.ndarray) -> np.ndarray:
    return pictures.transpose(0, 3, 1, 2) / 255


def test_the_joint_loss_is_that_of_pytorch_and_of_the_given_ssim() -> None:
    torch = pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("given_ssim", home() / "reference" / "vae" / "given" / "ssim.py")
    assert spec
    assert spec.loader
    given = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(given)
    smooth = np.repeat(np.repeat(images(6)[:, ::8, ::8], 8, axis=1), 8, axis=2)  # ends of the range, and flat parts
    made = (planes(smooth) + RANDOM.normal(0, 0.2, (6, 3, 32, 32))).clip(0, 1).astype(np.float32)
    truth, other = torch.from_numpy(planes(smooth)), torch.from_numpy(made.astype(np.float64))
    found = SCORERS["reconstruction"](Asked(smooth, np.zeros(6)), made)
    alike = given.ssim(truth, other, size_average=False).numpy()
    np.testing.assert_allclose(found["ssim"], alike, atol=1e-6)
    bce, mse = torch.nn.BCELoss()(other, truth).item(), torch.nn.MSELoss()(other, truth).item()
    assert found["bce"].mean() == pytest.approx(bce, abs=1e-9)
    assert found["mse"].mean() == pytest.approx(mse, abs=1e-9)
    assert found["score"].mean() == pytest.approx(mse + bce + 1 - alike.mean(), abs=1e-6)


def test_equal_images_are_alike_and_others_are_not() -> None:
    one = planes(images(3))
    np.testing.assert_allclose(ssim(one, one), 1.0)
    assert np.all(ssim(one, planes(images(3))) < 0.2)


def test_reconstructions_out_of_range_or_of_another_shape_are_not_scored() -> None:
    asked = Asked(images(2), np.zeros(2))
    with pytest.raises(Unfit, match=r"not in \[0, 1\]"):
        SCORERS["reconstruction"](asked, planes(asked.inputs) * 2)
    with pytest.raises(Unfit, match="shape"):
        SCORERS["reconstruction"](asked, planes(asked.inputs)[:, :, :16])
    broken = planes(asked.inputs)
    broken[0, 0, 0, 0] = np.nan
    scores = SCORERS["reconstruction"](asked, broken)["score"]
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])


def test_a_class_must_have_the_highest_score_alone() -> None:
    asked = Asked(images(5), np.array([2, 1, 0, 2, 1], np.uint8))
    outputs = np.array([[0, 1, 2], [0, 2, 1], [1, 1, 0], [3, 2, 1], [0, np.nan, 0]], np.float32)
    np.testing.assert_array_equal(SCORERS["accuracy"](asked, outputs)["score"], [1, 1, 0, 0, np.nan])
    for wrong in (outputs[:4], outputs[:, :2], outputs[:, 0]):
        with pytest.raises(Unfit):
            SCORERS["accuracy"](asked, wrong)


def test_the_cross_entropy_of_colours_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    labels, logits = RANDOM.integers(0, 24, (4, 8, 8)), RANDOM.normal(0, 30, (4, 24, 8, 8))
    expected = torch.nn.CrossEntropyLoss()(torch.from_numpy(logits), torch.from_numpy(labels)).item()
    assert SCORERS["colours"](Asked(labels, labels), logits)["score"].mean() == pytest.approx(expected)
    for wrong in (logits[:, :3], logits[:3], logits[..., :4], logits[0]):
        with pytest.raises(Unfit):
            SCORERS["colours"](Asked(labels, labels), wrong)


def test_the_difference_of_denoised_images_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    clean, made = (RANDOM.uniform(-1, 1, (4, 3, 8, 8)).astype(np.float32) for _ in range(2))
    asked = Asked(clean + 1, clean)  # what was asked counts nothing
    expected = torch.nn.functional.l1_loss(torch.from_numpy(made), torch.from_numpy(clean)).item()
    assert SCORERS["denoised"](asked, made)["score"].mean() == pytest.approx(expected, abs=1e-6)
    assert not SCORERS["denoised"](asked, clean)["score"].any()
    for wrong in (made[:, :1], made[:3], made[..., :4], made[0], np.zeros((4, 1, 1, 1))):
        with pytest.raises(Unfit):
            SCORERS["denoised"](asked, wrong)
    made[2, 0, 0, 0] = np.nan
    assert np.flatnonzero(np.isnan(SCORERS["denoised"](asked, made)["score"])).tolist() == [2]


@pytest.mark.parametrize(
    ("value", "earned"), [(0.60, 0), (0.64, 0), (0.65, 0.25), (0.66, 0.5), (0.68, 1), (0.99, 1), (np.inf, 0)]
)
def test_the_scale_grows_upwards_where_more_is_better(value: float, earned: float) -> None:
    assert share(value, full=0.69, none=0.65, tolerance=0.01) == pytest.approx(earned, abs=1e-9)
