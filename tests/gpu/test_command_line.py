"""A submission that computes on the GPU, through the real command line and the confinement."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.denoising import scripts
from tests.gpu.conftest import both
from tests.submissions.conftest import Run, graders

FORWARD = "        flat = images.view("
ON_DEVICE = """        if torch.cuda.is_available() is not {gpu}:
            raise RuntimeError("not the device that was asked for")
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.to(device)
        images = images.to(device)
        if images.is_cuda is not {gpu}:
            raise RuntimeError("not on the device that was asked for")
"""
RETURN = "        return self.output_layer(self.hidden_layer(flat))"


def submission(folder: Path, gpu: bool) -> Path:
    """Write scripts whose Encoder computes on a device, and stops where that is not the one that was asked for."""
    files = scripts()
    text = files["models.py"]
    assert (text.count(FORWARD), text.count(RETURN)) == (1, 1)
    text = text.replace(FORWARD, ON_DEVICE.format(gpu=gpu) + FORWARD).replace(RETURN, RETURN + '.to("cpu")')
    folder.mkdir()
    for name, content in (files | {"models.py": text}).items():
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize("device", both("torch", "cpu", "cuda"))
def test_a_submission_computes_on_the_device_that_was_asked_for(device: str, tmp_path: Path) -> None:
    handed_in = submission(tmp_path / "adams", gpu=device == "cuda")
    words = ("--only", "Q2a", "--device", device, "--seed", 3, "--jobs", 1)
    run = Run(tmp_path / "out", graders("grade", "denoising", handed_in, "-o", tmp_path / "out", *words))
    assert run.process.returncode == 0, run.process.stderr
    assert run.items("adams")["Q2a"]["verdict"] == "PASS", run.lost("adams")


@pytest.mark.gpu("torch")
def test_without_the_device_a_submission_does_not_reach_the_gpu(tmp_path: Path) -> None:
    handed_in = submission(tmp_path / "adams", gpu=True)
    words = ("--only", "Q2a", "--device", "cpu", "--seed", 3, "--jobs", 1)
    run = Run(tmp_path / "out", graders("grade", "denoising", handed_in, "-o", tmp_path / "out", *words))
    assert run.process.returncode == 0, run.process.stderr
    assert run.items("adams")["Q2a"]["verdict"] == "FAIL"
