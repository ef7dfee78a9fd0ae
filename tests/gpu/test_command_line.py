"""Submissions that compute on the GPU, through the real command line and the confinement."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.denoising import scripts
from graders.home import reference_path
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


TENSORFLOW = pytest.mark.gpu("tensorflow")


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


def test_without_the_device_a_submission_does_not_reach_the_gpu(tmp_path: Path) -> None:
    handed_in = submission(tmp_path / "adams", gpu=True)
    words = ("--only", "Q2a", "--device", "cpu", "--seed", 3, "--jobs", 1)
    run = Run(tmp_path / "out", graders("grade", "denoising", handed_in, "-o", tmp_path / "out", *words))
    assert run.process.returncode == 0, run.process.stderr
    assert run.items("adams")["Q2a"]["verdict"] == "FAIL"


# TensorFlow takes the GPU that it sees, without being told ------------------------------------------------------------

DENSE = "        pixels = tf.reshape(inputs, [-1, channels])  # (B*H*W, C)\n"
SEEN = """        if bool(tf.config.list_physical_devices("GPU")) is not {gpu}:
            raise RuntimeError("not the device that was asked for")
        where = getattr(pixels, "device", "")  # "" where Keras only asks for shapes
        if where and not where.endswith("{device}:0"):
            raise RuntimeError("not on the device that was asked for")
"""


def script(path: Path, device: str) -> Path:
    """Write the reference of PixelCNN, whose TensorDense stops where it is not on a device."""
    text = reference_path("pixelcnn").read_text(encoding="utf-8")
    assert text.count(DENSE) == 1
    path.write_text(text.replace(DENSE, DENSE + SEEN.format(gpu=device == "GPU", device=device)), encoding="utf-8")
    return path


@pytest.mark.parametrize(("device", "computes"), [("cpu", "CPU"), pytest.param("cuda", "GPU", marks=TENSORFLOW)])
def test_tensorflow_computes_on_the_device_that_was_asked_for(device: str, computes: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    handed_in = script(tmp_path / "adams.py", computes)
    words = ("--only", "C5", "--device", device, "--seed", 3, "--jobs", 1)
    run = Run(tmp_path / "out", graders("grade", "pixelcnn", handed_in, "-o", tmp_path / "out", *words))
    assert run.process.returncode == 0, run.process.stderr
    assert run.items("adams")["C5"]["verdict"] == "PASS", run.lost("adams")


def test_tensorflow_fails_where_it_is_not_on_that_device(tmp_path: Path) -> None:
    """What the test above rests on: a script for the GPU, without one."""
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    handed_in = script(tmp_path / "adams.py", "GPU")
    words = ("--only", "C5", "--device", "cpu", "--seed", 3, "--jobs", 1)
    run = Run(tmp_path / "out", graders("grade", "pixelcnn", handed_in, "-o", tmp_path / "out", *words))
    assert run.process.returncode == 0, run.process.stderr
    assert run.items("adams")["C5"]["verdict"] == "FAIL"
