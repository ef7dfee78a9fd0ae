"""Whole submissions through the real command line; the demo class is graded once for all tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.make_class import make_class

ROOT = Path(__file__).resolve().parents[2]


def graders(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    import os

    command = [sys.executable, "-m", "graders.cli", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **environment}, timeout=900, check=False
    )


@dataclass(frozen=True)
class Run:
    """What one `graders grade` left behind."""

    out: Path
    process: subprocess.CompletedProcess[str]

    def result(self, student: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.out / "students" / student / "result.json").read_text())
        return document

    def items(self, student: str) -> dict[str, dict[str, Any]]:
        return {item["id"]: item for item in self.result(student)["items"]}

    def verdicts(self, student: str) -> dict[str, str]:
        return {name: item["verdict"] for name, item in self.items(student).items() if item["verdict"] != "MANUAL"}

    def lost(self, student: str) -> dict[str, set[str]]:
        """Return the criteria that were lost by item."""
        lost = {
            name: {criterion["name"] for criterion in item["criteria"] if not criterion["passed"]}
            for name, item in self.items(student).items()
        }
        return {name: criteria for name, criteria in lost.items() if criteria}


@pytest.fixture(scope="session")
def demo_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "class"
    make_class(folder)
    return folder


@pytest.fixture(scope="session")
def demo_run(demo_class: Path) -> Run:
    out = demo_class.parent / "out"
    return Run(out, graders("grade", "pixelcnn", demo_class, "-o", out, "--seed", 20261121))


@pytest.fixture
def grade(tmp_path: Path) -> Callable[..., Run]:
    """Return a function that grades a path with more words on the command line."""

    def run(path: Path, *words: object, **environment: str) -> Run:
        out = tmp_path / "out"
        return Run(out, graders("grade", "pixelcnn", path, "-o", out, *words, **environment))

    return run
