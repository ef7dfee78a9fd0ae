from __future__ import annotations

from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.kit import PUBLIC_SEED
from graders.selfcheck import find_kit


def test_of_several_kits_the_one_with_the_item_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_kit(None, item="4.1").assignment.slug == "colourization"
    assert find_kit(None, item="Q2b").assignment.slug == "denoising"
    with pytest.raises(UsageError, match=r"say which assignment.*--assignment, one of .*denoising.*pixelcnn"):
        find_kit(None, item="X9")


def test_of_several_kits_with_the_item_the_one_whose_name_is_defined_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_kit(None, item="C5", defined=["np", "tensor_dense"]).assignment.slug == "pixelcnn"
    with pytest.raises(UsageError, match=r"one of jem, pixelcnn$"):
        find_kit(None, item="C5", defined=["np"])


def test_the_kit_of_the_current_folder_counts_more_than_the_one_with_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_kit("pixelcnn").seed == find_kit("jem").seed == PUBLIC_SEED
    with pytest.raises(UsageError, match=r"say which assignment: .*, one of .*jem, pixelcnn, vae$"):
        find_kit(None)
    (tmp_path / "pixelcnn.kit").touch()
    with pytest.raises(UsageError, match=str(tmp_path)):
        find_kit("pixelcnn")
