"""The score of handout A: binary cross-entropy, as Keras computes it, and how a model that sees its answer shows."""

from __future__ import annotations

import numpy as np
import pytest

from graders.metrics.judge import judged
from graders.metrics.scores import SCORERS, Asked, Unfit
from graders.model import Evidence, Experiment, Item, Metric, Tier, Verdict

RANDOM = np.random.default_rng(7)
IMAGES = RANDOM.integers(0, 2, (6, 32, 32, 1), dtype=np.uint8)
ASKED = Asked(IMAGES, np.zeros(6))
SCORE = SCORERS["pixels"]
ITEM = Item("score", "Score", 0, "prediction", Tier.METRIC, "1", metric=Metric("pixels", "C7", tolerance=0.02))


def test_it_equals_that_of_keras_for_probabilities_and_for_logits() -> None:
    keras = pytest.importorskip("keras")
    logits = RANDOM.normal(0, 8, IMAGES.shape).astype(np.float32)
    probabilities = (1 / (1 + np.exp(-logits))).astype(np.float32)
    probabilities[0, 0], probabilities[0, 1] = 0, 1  # where Keras bounds them
    for outputs, from_logits in ((probabilities, False), (logits, True)):
        expected = float(keras.losses.BinaryCrossentropy(from_logits=from_logits)(IMAGES.astype(np.float32), outputs))
        assert SCORE(ASKED, outputs)["score"].mean() == pytest.approx(expected, abs=1e-5)


def test_every_image_has_its_own_score() -> None:
    outputs = np.full(IMAGES.shape, 0.5)
    outputs[2] = IMAGES[2]
    scores = SCORE(ASKED, outputs)["score"]
    np.testing.assert_allclose(scores, [np.log(2)] * 2 + [0] + [np.log(2)] * 3, atol=1e-6)
    outputs[1, 0, 0, 0] = np.nan
    assert list(np.flatnonzero(np.isnan(SCORE(ASKED, outputs)["score"]))) == [1]


def test_outputs_of_another_form_are_not_scored() -> None:
    np.testing.assert_array_equal(
        SCORE(ASKED, IMAGES[..., 0] * 0.5)["score"],
        SCORE(ASKED, IMAGES * 0.5)["score"],  # without the axis of channels
    )
    for wrong in (IMAGES[:5], IMAGES[:, :16], np.repeat(IMAGES, 2, axis=-1), IMAGES[0], np.zeros(6)):
        with pytest.raises(Unfit, match="shape"):
            SCORE(ASKED, wrong)


@pytest.mark.parametrize(("loss", "verdict"), [(0.01, "MANUAL"), (0.68, "MANUAL"), (0.6931, "PASS"), (3.0, "PASS")])
def test_who_predicts_tossed_pixels_is_looked_at_by_a_person(loss: float, verdict: str) -> None:
    control = np.arange(6) >= 4
    scores = {"score": np.where(control, loss, 0.19), "control": control}
    ended = Experiment({"how": "finished", "seconds": 3.0})
    found = judged(ITEM, Evidence({"scores score 0": Experiment({"name": "net"}, scores), "ended": ended}), None)
    assert found.verdict is Verdict(verdict)
    assert "measured 0.1900 on 4 held-out images" in found.note
    assert ("tossed pixels" in found.note) == (verdict == "MANUAL")


def test_a_causal_model_that_knows_nothing_of_tossed_pixels_is_not_suspected() -> None:
    """Of 64 images the loss of any guess stays over the bound: the chance to be under it is less than one in 10^6."""
    tossed = RANDOM.integers(0, 2, (64, 32, 32, 1), dtype=np.uint8)
    for guess in (0.5, 0.51, 0.45, 0.2):
        assert SCORE(Asked(tossed, np.zeros(64)), np.full(tossed.shape, guess))["score"].mean() > 0.69
