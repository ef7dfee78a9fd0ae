"""A right network passes every equality check on a GPU too, against evidence that was measured on the processor."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from typing import Any

import pytest
import torch

from graders.home import reference_path
from graders.model import Evidence
from graders.probes import torch as lab
from graders.probes import torch_devices
from graders.release import scripts_of
from tests.gpu.conftest import both, rounding
from tests.gpu.judged import evidence, lost

NETWORKS = {
    ("colourization", "4.1"): "PoolUpsampleNet",
    ("colourization", "5.1"): "ConvTransposeNet",
    ("colourization", "6.1"): "UNet",
    ("denoising", "Q2a"): "Encoder",
    ("denoising", "Q2b"): "Decoder",
}


@functools.cache
def definitions(slug: str) -> Mapping[str, Any]:
    """Return the classes of a reference."""
    text = reference_path(slug).read_text(encoding="utf-8")
    if slug == "colourization":
        from reference.colourization import training

        return training.definitions()  # type: ignore[no-any-return, no-untyped-call]
    namespace: dict[str, Any] = {"__name__": "reference"}
    exec(compile(scripts_of(text)["models.py"], "models.py", "exec"), namespace)
    return namespace


def moved(network: type, device: str, only: torch.dtype | None, off: float = 0.0) -> type:
    """Return a network that computes on a device, as a student's may, and takes and gives what is on the processor.

    `only` refuses another precision, as code that asks for float32 does; `off` is what it is wrong by.
    """

    def initialise(self: Any, *words: Any, **named: Any) -> None:
        network.__init__(self, *words, **named)
        self.to(device)

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        if only not in (None, x.dtype):
            raise TypeError(f"{only} is wanted")
        y: torch.Tensor = network.forward(self, x.to(device)).to("cpu")  # type: ignore[attr-defined]
        return y + off * y.abs().max() if off else y

    return types.new_class(
        network.__name__, (network,), exec_body=lambda body: body.update(__init__=initialise, forward=forward)
    )


@functools.cache
def expected(slug: str, item: str) -> Evidence:
    found = NETWORKS[slug, item]
    return evidence(slug, item, {found: definitions(slug)[found]}, found, lab)


def lost_when_moved(slug: str, item: str, **how: Any) -> list[str]:
    """Return which criteria the reference's network loses when it is moved so, with what was found."""
    found = NETWORKS[slug, item]
    network = moved(definitions(slug)[found], **how)
    return lost(slug, item, evidence(slug, item, {found: network}, found, lab), expected(slug, item))


@pytest.mark.usefixtures("tf32")  # what the student's code has asked for
@pytest.mark.parametrize("only", [None, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("device", both("torch", "cpu", "cuda"))
@pytest.mark.parametrize(("slug", "item"), NETWORKS, ids=lambda one: str(one))
def test_the_reference_keeps_every_criterion(slug: str, item: str, device: str, only: torch.dtype | None) -> None:
    assert lost_when_moved(slug, item, device=device, only=only) == []


@pytest.mark.parametrize("device", both("torch", "cpu", "cuda"))
def test_what_is_off_by_a_thousandth_fails(device: str) -> None:
    failed = lost_when_moved("colourization", "4.1", device=device, only=torch.float32, off=1e-3)
    assert any(one.startswith("values") for one in failed), failed


# What a student has set is off while a probe measures, and on again afterwards ---------------------------------------


def test_factors_are_not_rounded_while_a_probe_measures(tf32: bool) -> None:
    with lab.prepared():
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32 is tf32
    assert torch.backends.cuda.matmul.allow_tf32 is tf32


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="this PyTorch has the older names alone")
def test_nor_where_they_are_set_by_their_newer_names() -> None:
    conv, matmul = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    with rounding(False):
        before = conv.fp32_precision, matmul.fp32_precision
        conv.fp32_precision = matmul.fp32_precision = "tf32"
        try:
            with torch_devices.full_precision():
                assert (conv.fp32_precision, matmul.fp32_precision) == ("ieee", "ieee")
            assert (conv.fp32_precision, matmul.fp32_precision) == ("tf32", "tf32")
        finally:
            conv.fp32_precision, matmul.fp32_precision = before


@pytest.mark.gpu("torch")
@pytest.mark.parametrize("allowed", [False, True], ids=["float32", "tf32"])
def test_how_far_a_gpu_is_off_without_our_care(allowed: bool, record_property: Any) -> None:
    """Not a check of ours but why there is `full_precision`: the difference goes into the report of the runner."""
    torch.manual_seed(0)
    layer, x = torch.nn.Conv2d(64, 64, 3), torch.randn(8, 64, 32, 32)
    wanted = layer(x)
    with rounding(allowed):
        found = layer.cuda()(x.cuda()).cpu()
    off = float((found - wanted).abs().max() / wanted.abs().max())
    record_property("difference", off)
    assert off < (1e-2 if allowed else 1e-4)
