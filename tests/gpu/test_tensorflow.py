"""TensorFlow's networks on a GPU: causal to exact zeros, and within the tolerance of the equality checks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from graders import checks
from graders.model import Evidence, Experiment
from graders.probes.draw import Draw
from tests.gpu.conftest import both
from tests.gpu.judged import evidence, lost

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from graders.probes import tensorflow as lab  # noqa: E402 - only where there is TensorFlow
from reference.jem import training as jem  # noqa: E402
from reference.pixelcnn import training as pixelcnn  # noqa: E402

DEVICES = both("tensorflow", "/CPU:0", "/GPU:0")
NETWORKS = {
    ("pixelcnn", "C3"): "DownRightMovedConv2d",
    ("pixelcnn", "C4"): "DownMovedConv2d",
    ("pixelcnn", "C5"): "TensorDense",
    ("pixelcnn", "C6"): "GatedResnet",
    ("pixelcnn", "C7"): "AutoregressiveModel",
    ("jem", "C1"): "ResBlock",
}


@functools.cache
def definitions(slug: str) -> Mapping[str, Any]:
    """Return the names of a reference."""
    found: Mapping[str, Any] = (pixelcnn if slug == "pixelcnn" else jem).definitions()  # type: ignore[no-untyped-call]
    return found


@pytest.fixture(params=[False, True], ids=["float32", "tf32"])
def tf32(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether TensorFlow may round the factors of products to ten bits, as it does by default."""
    enabled, enable = (
        tf.config.experimental.tensor_float_32_execution_enabled,
        tf.config.experimental.enable_tensor_float_32_execution,
    )
    before = enabled()
    enable(request.param)
    yield request.param
    enable(before)


class Watched:
    """Makes classes whose results are looked at: on which devices they were, and off by a share where that is asked."""

    def __init__(self, off: float = 0.0) -> None:
        self.devices, self.off = set[str](), off

    def of(self, network: type) -> type:
        whole = network.call  # type: ignore[attr-defined]

        @functools.wraps(whole)  # Keras reads the names of its parameters
        def call(layer: Any, *words: Any, **named: Any) -> Any:
            y = whole(layer, *words, **named)
            self.devices.add(str(getattr(y, "device", "")).rpartition("device:")[2])
            return y + self.off * tf.reduce_max(tf.abs(y)) if self.off else y

        return type(network.__name__, (network,), {"call": call})


def measured(slug: str, item: str, where: str, off: float = 0.0) -> Evidence:
    """Return the evidence of the reference's network on a device, and show that it was there."""
    found, watched = NETWORKS[slug, item], Watched(off)
    names = {**definitions(slug), found: watched.of(definitions(slug)[found])}
    with tf.device(where):
        mine = evidence(slug, item, names, found, lab)
    assert where[1:] in watched.devices
    return mine


@functools.cache
def expected(slug: str, item: str) -> Evidence:
    with tf.device("/CPU:0"):
        return evidence(slug, item, definitions(slug), NETWORKS[slug, item], lab)


@pytest.mark.usefixtures("tf32")  # what the student's code has asked for
@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize(("slug", "item"), NETWORKS, ids=lambda one: str(one))
def test_the_reference_keeps_every_criterion(slug: str, item: str, where: str) -> None:
    assert lost(slug, item, measured(slug, item, where), expected(slug, item)) == []


@pytest.mark.parametrize("where", DEVICES)
def test_what_is_off_by_a_thousandth_fails(where: str) -> None:
    failed = lost("pixelcnn", "C5", measured("pixelcnn", "C5", where, off=1e-3), expected("pixelcnn", "C5"))
    assert any(one.startswith("values") for one in failed), failed


def test_factors_are_not_rounded_while_a_probe_measures(tf32: bool) -> None:
    enabled: Callable[[], bool] = tf.config.experimental.tensor_float_32_execution_enabled
    with lab.prepared():
        assert not enabled()
    assert enabled() is tf32


# Causality, whatever the precision: PixelCNN's reference --------------------------------------------------------------


def support(where: str) -> Experiment:
    """Return what the pixels of the backbone depend on, measured on a device."""
    with tf.device(where):
        model = definitions("pixelcnn")["AutoregressiveModel"](1, 4, 1, 3)
        return Experiment(arrays=lab.support(model, (4, 5, 1), Draw(5, "C7"), draws=1))


@functools.cache
def expected_support() -> Experiment:
    return support("/CPU:0")


@pytest.mark.usefixtures("tf32")
@pytest.mark.parametrize("where", DEVICES)
def test_pixel_cnn_sees_the_same_pixels(where: str) -> None:
    found = support(where)
    for check in (checks.same_support, checks.agreement, checks.causal):
        outcome = check("causality", found, expected_support())
        assert outcome.passed, outcome.actual
    later = np.triu(np.ones((20, 20), bool), 1).reshape(4, 5, 4, 5)  # raster order
    assert not found.arrays["by_gradient"][later].any()
    assert not found.arrays["by_change"][later].any()


@pytest.mark.gpu("tensorflow")
@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "tf32"])
def test_how_far_a_gpu_is_off_without_our_care(rounded: bool, record_property: Any) -> None:
    """Not a check of ours but why precision is seen to: the difference goes into the report of the runner."""
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(8, 32, 32, 64)), random.normal(size=(3, 3, 64, 64))
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(rounded)
    try:
        with tf.device("/GPU:0"):
            found = tf.nn.conv2d(tf.constant(x, tf.float32), tf.constant(kernel, tf.float32), 1, "SAME").numpy()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
    with tf.device("/CPU:0"):
        wanted = tf.nn.conv2d(tf.constant(x, tf.float32), tf.constant(kernel, tf.float32), 1, "SAME").numpy()
    off = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    record_property("difference", off)
    assert off < (1e-2 if rounded else 1e-4)
