from __future__ import annotations

from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.sandbox.limits import device_files


def test_the_cpu_needs_no_device() -> None:
    assert device_files("cpu") == ()


def test_the_files_of_a_gpu_are_found_and_no_others(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "sda", "nvme0n1", "nvidiafoo"):
        (tmp_path / name).touch()
    (tmp_path / "nvidia-caps").mkdir()
    (tmp_path / "nvidia-caps" / "nvidia-cap1").touch()
    names = [Path(path).relative_to(tmp_path).as_posix() for path in device_files("cuda", tmp_path)]
    expected = ["nvidia-caps/nvidia-cap1", "nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidia1", "nvidiactl"]
    assert names == expected


@pytest.mark.parametrize(("device", "said"), [("cuda", "no GPU of NVIDIA's here"), ("cudda", "did you mean 'cuda'")])
def test_a_device_that_is_not_there_is_said_in_one_line(device: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        device_files(device, tmp_path)
