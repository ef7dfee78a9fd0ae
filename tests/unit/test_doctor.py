"""The doctor says which assignments this machine can grade, and asks for no framework that none of them needs."""

import io

import pytest
from rich.console import Console

from graders import doctor


def examined(monkeypatch: pytest.MonkeyPatch, *missing: str) -> tuple[bool, str]:
    real = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: "" if name in missing else real(name) or "1.0")
    console = Console(file=io.StringIO(), width=120)
    able = doctor.examine(console)
    assert isinstance(console.file, io.StringIO)
    return able, console.file.getvalue()


def test_an_assignment_whose_framework_is_here_can_be_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    able, text = examined(monkeypatch, "torch")
    assert able
    assert "pixelcnn" in text
    assert "graders[tensorflow]" not in text


def test_a_framework_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    able, text = examined(monkeypatch, "tensorflow", "torch")
    assert not able
    assert "pip install 'graders[tensorflow]'" in text
