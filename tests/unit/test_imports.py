from __future__ import annotations

import json
import subprocess
import sys

import pytest

FRAMEWORKS = {"tensorflow", "keras", "torch"}
HEAVY = {"numpy", "typer", "rich", "matplotlib", "pydantic", "nbformat", "IPython", "jinja2", "PIL", "safetensors"}


def loaded(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_package_itself_loads_nothing_heavy() -> None:
    assert loaded("import graders") & (HEAVY | FRAMEWORKS) == set()


def test_the_words_know_the_standard_library_only() -> None:
    assert loaded("import graders.model, graders.errors, graders.home") - set(sys.stdlib_module_names) <= {
        *loaded("pass"),
        "graders",
    }


@pytest.mark.parametrize(
    "modules",
    [
        "graders.cli, graders.engine.classroom, graders.audit, graders.release, graders.selfcheck, graders.doctor",
        "graders.assignments.pixelcnn, graders.judge, graders.checks, graders.kit, graders.store",
        "graders.sandbox.zygote, graders.probes.runner, graders.probes.pictures",
    ],
)
def test_nothing_of_the_trusted_process_loads_a_framework(modules: str) -> None:
    assert loaded(f"import {modules}") & FRAMEWORKS == set()


def test_the_command_line_loads_no_arrays_before_it_knows_what_to_do() -> None:
    assert loaded("import graders.cli") & {"numpy", "matplotlib", "nbformat", "IPython", "safetensors"} == set()
