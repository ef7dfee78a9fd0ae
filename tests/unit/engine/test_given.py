"""What --data must hold for runs in full, told in one line before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graders.engine.given import given
from graders.errors import UsageError

WEIGHTS = "pixel_cnn_e5.h5"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for name in ("train/a.jpg", "train/deep/b.jpg", "test/c.jpg", "solutions/key.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o644)
    for folder in ("train", "train/deep", "test"):
        (tmp_path / folder).chmod(0o755)
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    return tmp_path


def test_only_folders_of_images_are_given(course: Path) -> None:
    found = given(course, WEIGHTS, "full")
    assert found.folders == {"test": course / "test", "train": course / "train"}
    assert found.weights == b"weights"


def test_the_hash_tells_of_every_name_and_byte(course: Path) -> None:
    hashes = [given(course, WEIGHTS, "full").digest]
    (course / "solutions" / "key.txt").write_text("other")
    assert given(course, WEIGHTS, "no-namespaces").digest == hashes[0]
    (course / "train" / "deep" / "b.jpg").write_text("other")
    hashes.append(given(course, WEIGHTS, "full").digest)
    (course / "test" / "c.jpg").rename(course / "test" / "d.jpg")
    hashes.append(given(course, WEIGHTS, "full").digest)
    (course / WEIGHTS).write_bytes(b"others")
    hashes.append(given(course, WEIGHTS, "full").digest)
    assert len(set(hashes)) == 4


def test_what_is_missing_is_named_with_the_mend(course: Path) -> None:
    with pytest.raises(UsageError, match="a run in full needs --data FOLDER"):
        given(None, WEIGHTS, "full")
    (course / WEIGHTS).unlink()
    with pytest.raises(UsageError, match=f"no {WEIGHTS} in it; put the course's there, or one that `graders weights`"):
        given(course, WEIGHTS, "full")
    (course / "test" / "c.jpg").unlink()
    (course / "test").rmdir()
    with pytest.raises(UsageError, match="no folder test/ in it"):
        given(course, WEIGHTS, "full")


def test_rights_that_a_level_cannot_live_with_are_named(course: Path) -> None:
    (course / "train" / "a.jpg").chmod(0o666)
    assert given(course, WEIGHTS, "full").digest
    with pytest.raises(UsageError, match=r"a\.jpg: at isolation uid students' code could write to it: chmod -R o-w"):
        given(course, WEIGHTS, "uid")
    (course / "train" / "a.jpg").chmod(0o600)
    if os.getuid() == 0:
        with pytest.raises(UsageError, match=r"a\.jpg: students' code runs as another user, .* chmod -R o\+rX"):
            given(course, WEIGHTS, "full")
    assert given(course, WEIGHTS, "no-namespaces").digest


def test_a_link_that_leads_nowhere_is_left_out(course: Path) -> None:
    before = given(course, WEIGHTS, "full").digest
    (course / "train" / "nowhere.jpg").symlink_to("/nowhere")
    assert given(course, WEIGHTS, "full").digest == before
