from __future__ import annotations

import numpy as np
import pytest

from graders.metrics.prepared import Unprepared, as_the_script_does

RANDOM = np.random.default_rng(7)
TRAIN, TEST, HELD = (RANDOM.integers(0, 200, (count, 8, 8, 3), dtype=np.uint8) for count in (40, 10, 5))
OWN = {"x_train": TRAIN, "x_test": TEST, "y_test": np.zeros(10)}
UNUSUAL = (TEST / 255 - (0.4, 0.3, 0.2)) / (0.25, 0.2, 0.3)


def test_what_a_script_made_of_its_images_tells_the_scale_of_each_channel() -> None:
    values = ["x", TEST, None, TEST.astype(np.float32)[:4], UNUSUAL.astype(np.float32)]
    found = as_the_script_does(HELD, OWN, values, None)
    np.testing.assert_allclose(found, (HELD / 255 - (0.4, 0.3, 0.2)) / (0.25, 0.2, 0.3), atol=1e-4)
    assert found.dtype == np.float32


def test_what_is_no_scale_of_the_images_tells_nothing() -> None:
    shuffled, other = TEST[::-1] / 127.5, (TEST / 255.0) ** 2
    for values in ([], [shuffled], [other], [-TEST / 255.0], [TEST]):
        np.testing.assert_allclose(as_the_script_does(HELD, OWN, values, None), HELD / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("factor", "offset"),
    [(1 / 255, 0), (2 / 255, -1), (1 / 255, -0.5), (1, 0), (1 / TRAIN.std(), -TRAIN.mean() / TRAIN.std())],
)
def test_the_first_batch_decides_with_noise_on_it(factor: float, offset: float) -> None:
    """The script has other arrays too: those of 0 to 255, and of [0, 1]."""
    values = [TEST.astype(np.float64), TEST / 255.0]
    batch = TRAIN[:16] * factor + offset
    found = as_the_script_does(HELD, OWN, values, batch + RANDOM.normal(0, 0.03, batch.shape))
    np.testing.assert_allclose(found, HELD * factor + offset, atol=0.05 * TRAIN.std() * factor)


def test_what_is_not_understood_is_not_the_students_fault() -> None:
    with pytest.raises(Unprepared, match="in no known way"):
        as_the_script_does(HELD, OWN, [], TRAIN[:16] / 255 * 7 + 40)
