from __future__ import annotations

from pathlib import PurePath

import pytest

from graders.errors import UsageError
from graders.sandbox import levels
from graders.sandbox.levels import Trial, choose_level, try_level
from graders.sandbox.limits import LEVEL_MEANING, LEVELS, Limits


@pytest.fixture(scope="module")
def trials() -> dict[str, Trial]:
    """Every level, really tried, once."""
    return {level: try_level(level) for level in LEVELS}


def answering(monkeypatch: pytest.MonkeyPatch, *works: str) -> None:
    """Let only these levels work."""
    monkeypatch.setattr(levels, "try_level", lambda level: Trial(level, "" if level in works else "not here"))


def test_a_level_that_cannot_be_had_says_why(trials: dict[str, Trial]) -> None:
    assert all(isinstance(trial.reason, str) for trial in trials.values())
    assert trials["none"].reason == ""


def test_this_machine_gives_one_of_the_two_levels_that_confine_files_and_network(trials: dict[str, Trial]) -> None:
    reasons = [f"{level}: {trials[level].reason}" for level in ("full", "no-namespaces")]
    if all(trials[level].reason for level in ("full", "no-namespaces")):
        pytest.skip(f"this machine gives neither level: {'; '.join(reasons)}")
    assert choose_level() == next(level for level in LEVELS if not trials[level].reason)


def test_a_level_at_which_the_references_could_be_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    level = choose_level()
    monkeypatch.setattr(levels, "home", lambda: PurePath("/usr"))
    monkeypatch.setattr(PurePath, "__truediv__", lambda self, name: "/usr/lib")
    assert try_level(level).reason.startswith("student code could read /usr/lib: chmod -R o-rwx it")
    assert try_level("none").reason == ""


def test_the_strongest_level_that_works_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "no-namespaces", "uid", "none")
    assert choose_level() == "no-namespaces"


def test_a_level_that_is_asked_for_by_name_is_taken_even_when_a_stronger_one_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, *LEVELS)
    assert [choose_level(level) for level in LEVELS] == list(LEVELS)


def test_no_confinement_is_never_chosen_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "none")
    with pytest.raises(UsageError, match=r"gives no confinement \(uid: not here\); .* --isolation none"):
        choose_level()
    assert choose_level("none") == "none"


def test_an_unknown_level_is_refused_with_the_nearest_word() -> None:
    with pytest.raises(
        UsageError, match=r"^--isolation no-namespace: no such level \(did you mean 'no-namespaces'\?\)$"
    ):
        choose_level("no-namespace")


def test_a_level_that_this_machine_does_not_give_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "none")
    with pytest.raises(UsageError, match=r"^--isolation full: this machine does not give it: not here$"):
        choose_level("full")


def test_every_level_has_its_meaning_and_limits_are_plain_numbers() -> None:
    assert tuple(LEVEL_MEANING) == LEVELS
    assert {type(value) for value in Limits().document().values()} <= {int, float}
    assert Limits(**Limits(cpu_seconds=3).document()) == Limits(cpu_seconds=3)
