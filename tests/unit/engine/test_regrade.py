"""What cannot be marked anew is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.engine.regrade import last_run
from graders.engine.setting import run_document
from graders.errors import UsageError
from graders.model import Tier
from graders.rubric import load_rubric, select
from graders.store import Store


def test_the_last_run_must_be_there_and_of_this_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "evidence.sqlite")
    with pytest.raises(UsageError, match="nothing was graded into it; run `graders grade` first"):
        last_run(store)
    document = run_document("pixelcnn", (), "", {}, {})
    store.record("run", {**{key: value for key, value in document.items() if key != "tiers"}, "submissions": []})
    with pytest.raises(UsageError, match="an older version graded into it; run `graders grade` again"):
        last_run(store)
    store.record("run", {**document, "submissions": []})
    assert last_run(store)["items"] == []
    store.close()


def test_a_run_says_by_which_evidence_it_judged() -> None:
    """The same items from other evidence are another run, whose reports are other ones."""
    rubric = load_rubric("colourization")

    def tiers(*asked: Tier) -> list[str]:
        found: list[str] = run_document(rubric.slug, select(rubric, ["5.2"], asked), "", {}, {})["tiers"]
        return found

    assert tiers(Tier.RECORD) == ["record"]
    assert tiers(Tier.EXECUTE) == ["execute"]
    assert tiers(Tier.RECORD, Tier.EXECUTE) == ["execute", "record"]
