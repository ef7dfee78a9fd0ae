"""The graders themselves: all mutants caught for the stated reason, no variant harmed, through the real command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.submissions.conftest import graders

CODING = {
    "pixelcnn": ("C1", "C2", "C3", "C4", "C5", "C6", "C7"),
    "jem": ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"),
    "colourization": ("4.1", "5.1", "6.1"),
    "vae": ("vae", "codes", "cvae", "losses", "train_step", "annealing", "denormalize", "generate", "generate_class"),
    "acgan": ("generator", "discriminator", "train_step", "denormalize", "samples"),
}
ENOUGH = {  # mutants and variants
    "pixelcnn": (50, 20), "jem": (70, 30), "colourization": (45, 18), "vae": (85, 25), "acgan": (80, 25),
}  # fmt: skip


@pytest.fixture(scope="module", params=CODING)
def audit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("audit") / "audit.json"
    process = graders("audit", request.param, "--tier", "behaviour", "--json", path)
    document: dict[str, Any] = json.loads(path.read_text())
    return {**document, "slug": request.param, "status": process.returncode, "output": process.stdout}


def test_every_mutant_is_caught_for_the_stated_reason(audit: dict[str, Any]) -> None:
    assert [mutant["name"] for mutant in audit["mutants"] if not mutant["caught"]] == []


def test_no_variant_is_harmed(audit: dict[str, Any]) -> None:
    assert [(variant["name"], variant["reasons"]) for variant in audit["variants"] if not variant["kept"]] == []


def test_the_audit_says_so_with_its_status(audit: dict[str, Any]) -> None:
    assert audit["faults"] == 0
    assert audit["status"] == 0, audit["output"]


def test_there_are_enough_of_both_for_every_item(audit: dict[str, Any]) -> None:
    mutants = Counter(mutant["item"] for mutant in audit["mutants"])
    variants = Counter(variant["item"] for variant in audit["variants"])
    enough = ENOUGH[audit["slug"]]
    assert sum(mutants.values()) >= enough[0]
    assert sum(variants.values()) >= enough[1]
    assert min(mutants[item] for item in CODING[audit["slug"]]) >= 6
    assert min(variants[item] for item in CODING[audit["slug"]]) >= 3


def test_names_are_unique_and_mistakes_told(audit: dict[str, Any]) -> None:
    names = [edit["name"] for edit in (*audit["mutants"], *audit["variants"])]
    assert len(names) == len(set(names))
    assert all(mutant["mistake"] for mutant in audit["mutants"])


def test_a_mutant_that_slips_ends_in_status_1(tmp_path: Path) -> None:
    """A mutant that claims to lose what it does not lose must be told as a slip."""
    import shutil

    from graders.home import home

    for name in ("rubrics", "reference", "student_template"):
        shutil.copytree(home() / name, tmp_path / name)
    (tmp_path / "reference/pixelcnn/mutants.py").write_text(
        "from graders.model import Mutant\n"
        'MUTANTS = (Mutant("C5-none", "C5", "no mistake at all", ("values",), '
        'swaps=(("# (B*H*W, C)", "# pixels"),)),)\n'
    )
    (tmp_path / "reference/pixelcnn/variants.py").write_text(
        "from graders.model import Variant\n"
        'VARIANTS = (Variant("C5-same", "C5", "the same", swaps=(("# (B*H*W, C)", "# pixels"),)),)\n'
    )
    process = graders("audit", "pixelcnn", "--tier", "behaviour", GRADERS_HOME=str(tmp_path))
    assert process.returncode == 1
    assert "C5-none" in process.stdout
