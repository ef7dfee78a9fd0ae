"""The workflows are read by the linter of `make lint`; here is shown that it would notice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from graders.home import home

FOLDER = home() / ".github" / "workflows"
NAMES = ("tests.yml", "gpu.yml")
LINE = next(line for line in (home() / "Makefile").read_text().splitlines() if "/zizmor " in line)


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter with the words of the Makefile."""
    words = LINE.split()[1:-1]
    return subprocess.run(
        [Path(sys.executable).parent / "zizmor", *words, folder], capture_output=True, text=True, check=False
    )


def test_the_linter_finds_nothing() -> None:
    run = linted(FOLDER.parent)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("tests.yml", r"checkout@\w+ # v5.0.0", "checkout@v5", "unpinned-uses"),
        ("tests.yml", r"permissions: \{\}", "permissions: write-all", "excessive-permissions"),
        ("tests.yml", "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("tests.yml", r"run: \.ci/run", "run: echo ${{ github.head_ref }}", "template-injection"),
        ("tests.yml", "  pull_request:", "  pull_request_target:", "dangerous-triggers"),
        ("gpu.yml", "runs-on:", "runs-onn:", "does not match expected validation schema"),
        ("gpu.yml", "timeout-minutes: 240", "timeout-minutes: [", "yaml"),
    ],
)
def test_a_slip_is_noticed(tmp_path: Path, name: str, old: str, new: str, found: str) -> None:
    text, count = re.subn(old, new, (FOLDER / name).read_text(), count=1)
    assert count == 1
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    run = linted(tmp_path)
    assert run.returncode != 0
    assert found in (run.stdout + run.stderr).lower()


@pytest.mark.parametrize("name", NAMES)
def test_a_job_ends_in_time_and_may_do_no_more_than_read(name: str) -> None:
    """What the linter does not ask for."""
    import yaml

    workflow = yaml.safe_load((FOLDER / name).read_text())
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 240
        assert job["permissions"] == {"contents": "read"}


def test_code_of_a_pull_request_does_not_reach_the_gpu_runner() -> None:
    import yaml

    workflow = yaml.safe_load((FOLDER / "gpu.yml").read_text())
    assert set(workflow[True]) == {"workflow_dispatch", "schedule"}, "YAML 1.1 reads `on` as a truth value"
    assert workflow["jobs"]["gpu"]["if"] == "github.ref == 'refs/heads/main'"


def test_each_command_of_the_workflows_is_there() -> None:
    """A script, a target of the Makefile, a module: what a workflow calls may be renamed."""
    texts = "".join((FOLDER / name).read_text() for name in NAMES)
    assert ".ci/run" in texts
    assert (home() / ".ci" / "run").stat().st_mode & 0o111
    assert re.search(r"^gpu: ", (home() / "Makefile").read_text(), re.MULTILINE)
    from benchmarks.gpu import STAGES

    assert re.findall(r"-m benchmarks\.gpu (\w+)", texts) == ["metric"]
    assert "metric" in STAGES


@pytest.mark.parametrize(("statuses", "ends"), [("75 75 0", 0), ("75 1", 1), ("0", 0), ("2", 2)])
def test_the_metric_tier_is_called_again_while_it_says_so(tmp_path: Path, statuses: str, ends: int) -> None:
    import yaml

    steps = yaml.safe_load((FOLDER / "gpu.yml").read_text())["jobs"]["gpu"]["steps"]
    (text,) = (step["run"] for step in steps if "benchmarks.gpu metric" in step.get("run", ""))
    python = tmp_path / ".venv-gpu" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nread -r first rest < left\necho "$rest" > left\nexit "$first"\n')
    python.chmod(0o755)
    (tmp_path / "left").write_text(f"{statuses}\n")
    run = subprocess.run(["bash", "-e", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == ends, run.stderr
    assert (tmp_path / "left").read_text() == "\n", "all of them were asked for"
