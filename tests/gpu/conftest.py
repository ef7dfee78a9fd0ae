"""The same checks on the processor, where they cost little and cannot rot, and on a GPU, where there is one.

A GPU runner sets GRADERS_REQUIRE_GPU=torch,tensorflow: a test of one of these is then not skipped where its GPU is
absent but fails, for absence never passes.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

import pytest
import torch


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("gpu"):
        (framework,) = mark.args
        if reason := missing(framework):
            required = framework in os.environ.get("GRADERS_REQUIRE_GPU", "").split(",")
            (pytest.fail if required else pytest.skip)(reason)


@functools.cache
def missing(framework: str) -> str:
    """Return why a framework has no GPU here, "" where it has one."""
    if framework == "torch":
        return "" if torch.cuda.is_available() else "PyTorch sees no GPU: torch.cuda.is_available() is False"
    import tensorflow as tf

    return "" if tf.config.list_physical_devices("GPU") else "TensorFlow sees no GPU: list_physical_devices is empty"


def both(framework: str, processor: str, gpu: str) -> list[object]:
    """Return the two devices of a framework as parameters of a test."""
    return [processor, pytest.param(gpu, marks=pytest.mark.gpu(framework))]


@pytest.fixture(params=[False, True], ids=["float32", "tf32"])
def tf32(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether PyTorch may round the factors of products to ten bits, as it does for convolutions by default."""
    with rounding(request.param):
        yield request.param


@contextlib.contextmanager
def rounding(allowed: bool) -> Iterator[None]:
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = cuda.allow_tf32, cudnn.allow_tf32
    cuda.allow_tf32 = cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        cuda.allow_tf32, cudnn.allow_tf32 = before
