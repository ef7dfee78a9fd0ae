from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from graders.sandbox import confine


def test_of_an_environment_in_the_course_s_own_folder_only_the_interpreter_is_laid_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bin", "lib/python3.11/site-packages", "submissions", "out", "reference"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pyvenv.cfg").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    mine = {
        path for path in confine.readable_paths() if path.startswith(str(tmp_path)) or str(tmp_path).startswith(path)
    }
    assert mine == {str(tmp_path / name) for name in ("bin", "lib", "pyvenv.cfg")}


def test_the_package_can_be_read_and_what_lies_beside_it_cannot() -> None:
    package = Path(confine.__file__).resolve().parents[1]
    assert str(package) in confine.readable_paths()
    assert not any(str(package.parent / "reference").startswith(path + os.sep) for path in confine.readable_paths())
