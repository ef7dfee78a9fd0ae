from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graders.data import cifar10
from graders.home import reference_path
from tests.submissions.conftest import graders

READ = """
import runpy, sys
names = runpy.run_path(sys.argv[1])["definitions"]()
data = names["CalligraphyDataset"](sys.argv[2], 4)
x, y = data[1]
print(len(data), x.shape, sorted(set(x.numpy().ravel().tolist())))
"""


def test_the_reference_reads_what_is_drawn(tmp_path: Path) -> None:
    run = graders("data", "draw", "pixelcnn", "-o", "drawn", "--train", "6", "--test", "2", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "drawn: 6 images for training, 2 for the test\n")
    script = reference_path("pixelcnn").with_name("training.py")
    words = [sys.executable, "-c", READ, script, tmp_path / "drawn" / "train"]
    read = subprocess.run(words, capture_output=True, text=True)
    assert read.stdout == "2 (2, 32, 32, 1) [0.0, 1.0]\n", read.stderr


def test_what_is_drawn_for_jem_is_read_as_cifar_10(tmp_path: Path) -> None:
    run = graders("data", "draw", "jem", "-o", "drawn", "--train", "12", "--test", "3", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "drawn: 12 images for training, 3 for the test\n")
    train, test = cifar10.read(tmp_path / "drawn")
    assert (train.images.shape, test.labels.tolist()) == ((12, 32, 32, 3), [0, 1, 2])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "draw", "pixelcn", "-o", "x"), "no data set is drawn for 'pixelcn' (did you mean 'pixelcnn'?)"),
        (("weights", "pixelcnn", "--data", "none", "-o", "w.h5"), "none: no folder train/ with .jpg files in it"),
        (("weights", "pixelcn", "--data", "none", "-o", "w.h5"), "reference solution is needed"),
    ],
)
def test_a_wrong_call_ends_in_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    run = graders(*words, cwd=tmp_path)
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
