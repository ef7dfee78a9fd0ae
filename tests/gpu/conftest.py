"""The same checks on the processor, where they cost little and cannot rot, and on a GPU, where there is one.

A GPU runner sets GRADERS_REQUIRE_GPU=torch,tensorflow: where the GPU of one of these is absent
nothing is skipped and all fails, for absence never passes.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

import pytest
import torch

os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # else TensorFlow takes all of the memory, and PyTorch finds none
FRAMEWORKS = ("torch", "tensorflow")


def required() -> list[str]:
    """Return the frameworks whose GPU must be there."""
    return [name.strip() for name in os.environ.get("GRADERS_REQUIRE_GPU", "").split(",") if name.strip()]


def pytest_configure() -> None:
    """End with one line where a GPU that is required is absent: a hundred failures would say no more."""
    if unknown := [name for name in required() if name not in FRAMEWORKS]:
        pytest.exit(f"GRADERS_REQUIRE_GPU: no framework {unknown[0]!r}; there are {', '.join(FRAMEWORKS)}", 1)
    for name in required():
        if reason := missing(name):
            pytest.exit(f"a GPU is required: {reason}", 1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("gpu"):
        (framework,) = mark.args
        if reason := missing(framework):
            pytest.skip(reason)


@functools.cache
def missing(framework: str) -> str:
    """Return why a framework has no GPU here, "" where it has one."""
    return _missing_in_torch() if framework == "torch" else _missing_in_tensorflow()


def _missing_in_torch() -> str:
    if torch.cuda.is_available():
        return ""
    if not torch.version.cuda:
        return f"PyTorch {torch.__version__} is built without CUDA"
    return f"PyTorch {torch.__version__} sees no GPU; does nvidia-smi?"


def _missing_in_tensorflow() -> str:
    try:
        import tensorflow as tf
    except ImportError:
        return "TensorFlow is not installed"
    if tf.config.list_physical_devices("GPU"):
        return ""
    if not tf.test.is_built_with_cuda():
        return f"TensorFlow {tf.__version__} is built without CUDA"
    return f"TensorFlow {tf.__version__} sees no GPU; does nvidia-smi?"


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
