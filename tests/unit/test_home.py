from __future__ import annotations

from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.home import home, reference_path, rubric_path

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nowhere_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADERS_HOME", raising=False)


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of another place with one rubric and nothing else."""
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "small.toml").touch()
    monkeypatch.setenv("GRADERS_HOME", str(tmp_path))
    return tmp_path


def test_the_home_is_the_checkout_whatever_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert home() == CHECKOUT
    assert rubric_path("pixelcnn") == CHECKOUT / "rubrics" / "pixelcnn.toml"
    assert reference_path("pixelcnn") == CHECKOUT / "reference" / "pixelcnn" / "solution.py"


def test_a_home_that_is_named_counts_more_than_the_checkout(named: Path) -> None:
    assert home() == named
    assert rubric_path("small") == named / "rubrics" / "small.toml"


def test_a_home_that_is_named_but_is_none_is_refused_and_not_looked_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADERS_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"no folder rubrics/ in it; set GRADERS_HOME"):
        home()


def test_an_unknown_assignment_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(UsageError, match=r"^'pixelcn' is no assignment \(did you mean 'pixelcnn'\?\)$"):
        rubric_path("pixelcn")


def test_an_assignment_like_none_is_refused_with_all_that_are_known(named: Path) -> None:
    with pytest.raises(UsageError, match=r"^'jem' is no assignment \(known: small\)$"):
        rubric_path("jem")


def test_a_slug_that_is_a_path_is_no_assignment() -> None:
    with pytest.raises(UsageError, match="is no assignment"):
        rubric_path("../reference/pixelcnn/solution")


def test_a_reference_that_is_not_shipped_is_named_with_the_mend(named: Path) -> None:
    with pytest.raises(UsageError, match=r"small/solution\.py: the reference solution is needed .* set GRADERS_HOME"):
        reference_path("small")
