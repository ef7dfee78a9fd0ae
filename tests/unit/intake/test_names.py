from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.intake.names import clean, is_junk, safe_id, shown, unique_ids


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("alice", "alice"),
        ("Smith, John_12345_assignsubmission_file_", "Smith-John_12345_assignsubmission_file_"),
        ("José Muñoz", "Jose-Munoz"),
        ("Łukasz Ørsted-Groß", "Lukasz-Orsted-Gross"),
        ("I\u015eIK \u0131", "ISIK-i"),
        ("../../etc/passwd", "etc-passwd"),
        ("..hidden", "hidden"),
        ("-rf", "rf"),
        ("a" * 200, "a" * 80),
    ],
)
def test_names_become_ids(name: str, safe: str) -> None:
    assert safe_id(name) == safe


def test_letters_that_are_lost_stay_different() -> None:
    one, two = safe_id("Chan 大文"), safe_id("Chan 小文")
    assert one != two
    assert re.fullmatch(r"Chan-[0-9a-f]{8}", one)
    assert re.fullmatch(r"submission-[0-9a-f]{8}", safe_id("..."))


def test_equal_ids_are_numbered() -> None:
    assert unique_ids(["bob", "Bob", "bob", "bob-2", "é", "e"]) == ["bob", "Bob-2", "bob-3", "bob-2-2", "e", "e-2"]
    long = unique_ids(["a" * 90, "a" * 91])
    assert long == ["a" * 80, "a" * 78 + "-2"]


@given(st.lists(st.text() | st.text(alphabet=".-/\\ \x00ab\udc80陳é"), max_size=12))
def test_ids_are_safe_and_unique(given_names: list[str]) -> None:
    ids = unique_ids(given_names)
    assert len({each.casefold() for each in ids}) == len(given_names)
    for each in ids:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}", each), each


@given(st.text(alphabet=st.characters() | st.sampled_from("\udc80\u2028\u202e\n\x85"), max_size=300))
def test_what_is_shown_is_one_line_that_can_be_written(name: str) -> None:
    assert len(clean(name)) == len(name)
    assert len(shown(name).splitlines()) <= 1
    assert len(shown(name)) <= 200
    shown(name).encode("utf-8")


def test_junk() -> None:
    assert all(map(is_junk, [".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__", ".DS_Store", "node_modules"]))
    assert not any(map(is_junk, ["data", "_private.py", "__init__.py"]))
