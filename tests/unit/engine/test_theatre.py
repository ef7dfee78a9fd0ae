"""A run in full: the real folder where the notebook looks, the time it is given, and equal notebooks run once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.assignments import Findings, Seen
from graders.engine.given import given
from graders.engine.rehearsals import REHEARSALS, Rehearsal, rehearsal_of
from graders.engine.theatre import Theatre, run_seconds, unfinished
from graders.errors import UsageError
from graders.execute import MODULES, Executed, Stage, run_limits
from graders.model import Evidence, Experiment, SourceFile
from graders.sandbox.levels import choose_level
from graders.sandbox.nursery import Nursery
from graders.store import Store
from tests.unit.execute.notebooks import notebook, text_of

STAND_IN = "tests.unit.execute.stand_in"
SECONDS = 6.0
LARGE = 110 << 20
CELLS = (
    "import os, secrets as s\nprint(len(os.listdir('/content/pa2/train')), len(os.listdir('pa2/test')), s.token_hex())",
    "print(open('pixel_cnn_e5.h5').read(), os.path.getsize('pa2/train/large.bin'))",
    "!pip install nothing",
    "import time\nwhile True:\n    time.sleep(0.1)",
    "print('later')",
)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    course = tmp_path_factory.mktemp("course")
    for name, number in (("train", 30), ("test", 12)):
        (course / name).mkdir()
        for at in range(number):
            (course / name / f"{at}.jpg").write_bytes(b"picture")
    with (course / "train" / "large.bin").open("wb") as large:
        large.truncate(LARGE)
    weights = REHEARSALS["pixelcnn"].weights
    (course / weights).write_text("weights")
    level = choose_level()
    store = Store(course / "evidence.sqlite")
    with Nursery(("graders.probes.wire", *MODULES, STAND_IN), level, run_limits(SECONDS)) as nursery:
        data = given(course, weights, level)
        yield Theatre("pixelcnn", store, nursery, 7, {}, SECONDS, data, STAND_IN)
    store.close()


def handed_in(*cells: str) -> SourceFile:
    text = json.dumps(notebook(*cells))
    return SourceFile("hw.ipynb", "", len(text), text)


def executed(theatre: Theatre, key: str) -> list[Any]:
    return list(json.loads(theatre.store.file(key) or b"")["notebook"]["cells"])


def test_a_run_in_full_reads_the_real_folder_and_goes_on_after_an_endless_cell(theatre: Theatre) -> None:
    evidence, key = theatre.perform(handed_in(*CELLS))
    assert evidence.fault == ""
    values: Any = evidence.experiments["cells"].values
    assert values["rehearsal"] is False
    assert [cell["status"] for cell in values["cells"]] == ["ok", "ok", "ok", "interrupted", "ok"]
    assert any("not run here: pip install nothing" in note for note in values["notes"])
    # Half of the notebook's time; on a busy machine the run is made again, longer.
    assert re.search(r"cell 5: stopped after [37]\.", " ".join(values["notes"]))
    cells = executed(theatre, key)
    assert text_of(cells[1]).startswith("31 12 ")
    assert text_of(cells[2]) == f"weights {LARGE}\n"
    assert text_of(cells[5]) == "later\n"
    assert evidence.experiments["finished"].values["shrink"] is None


def test_equal_notebooks_are_run_once_and_other_data_are_another_run(theatre: Theatre) -> None:
    first, second = theatre.perform(handed_in(CELLS[0])), theatre.perform(handed_in(CELLS[0]))
    assert first[1] == second[1]
    assert theatre.given is not None
    other = replace(theatre, given=replace(theatre.given, digest="other"))
    _, key = other.perform(handed_in(CELLS[0]))
    assert key != first[1]
    printed = [text_of(executed(theatre, one)[1]) for one in (first[1], key)]
    assert printed[0] != printed[1]  # two runs drew two tokens


def test_a_notebook_has_the_usual_time_unless_told_otherwise() -> None:
    assert run_seconds("pixelcnn", None, full=False) == 180
    assert run_seconds("pixelcnn", None, full=True) == 8 * 3600
    assert run_seconds("pixelcnn", 25, full=True) == 25


def test_a_run_that_did_not_get_through_names_the_cell_and_the_mend() -> None:
    cells = [{"cell": 2, "status": "ok", "message": ""}, {"cell": 4, "status": "interrupted", "message": "stopped"}]
    assert unfinished(Evidence({"cells": Experiment({"cells": cells[:1]})})) == ""
    assert unfinished(Evidence({"values": Experiment()})) == ""
    cut = unfinished(Evidence({"cells": Experiment({"cells": cells})}))
    assert cut == "cell 4: stopped; --run-limit SECONDS gives it more time"


def test_the_folder_is_as_it_was(theatre: Theatre, tmp_path: Path) -> None:
    assert theatre.given is not None
    spoil = "import shutil\nshutil.rmtree('pa2/train', ignore_errors=True)\nopen('pa2/test/0.jpg', 'w')"
    evidence, _ = theatre.perform(handed_in(spoil))
    (cell,) = evidence.experiments["cells"].values["cells"]
    assert (cell["status"], cell["kind"]) in (("error", "OSError"), ("error", "PermissionError"))
    folders = theatre.given.folders
    assert sum(1 for _ in folders["train"].iterdir()) == 31
    assert (folders["test"] / "0.jpg").read_bytes() == b"picture"


@pytest.mark.parametrize(
    ("status", "starved", "runs"), [("interrupted", 2.0, 2), ("interrupted", 0.5, 1), ("ok", 9.0, 1)]
)
def test_what_a_busy_machine_cut_short_is_run_again_with_more_time(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, status: str, starved: float, runs: int
) -> None:
    asked: list[float] = []

    def played(nursery: Nursery, document: Any, stage: Stage) -> Executed:
        asked.append(stage.cell_seconds)
        cells = Experiment({"cells": [{"cell": 2, "status": status}]})
        return Executed(dict(document), Evidence({"cells": cells}, seconds=10.0), (), starved)

    monkeypatch.setattr("graders.execute.run", played)
    evidence, _ = theatre.perform(handed_in(f"'{status} {starved}'"))
    assert asked == [3.0, 7.5][:runs]
    assert evidence.experiments["cells"].values["cells"] == [{"cell": 2, "status": status}]


# What a rehearsal is made of -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "full", "said"),
    [
        ("denoising", False, "the notebooks of denoising cannot be run whole yet; leave execute out of --tier"),
        ("small", True, "the notebooks of small cannot be run in full yet; without --full they are rehearsed"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, slug: str, full: bool, said: str
) -> None:
    monkeypatch.setitem(REHEARSALS, "small", Rehearsal(lambda folder, seed: None))
    with pytest.raises(UsageError, match=re.escape(said)):
        rehearsal_of(slug, full)


def test_an_assignment_says_what_lies_where(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(folder: Path, seed: int) -> None:
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "numbers.bin").write_bytes(bytes([seed]))

    monkeypatch.setitem(REHEARSALS, "small", Rehearsal(draw, "course", {"data": "course/sub"}))
    small = replace(theatre, slug="small", given=None, _files={})
    assert small.files() == {"course/sub/numbers.bin": b"\x07"}  # and no weights
    named, own = "open(root + '/numbers.bin', 'rb').read()", "open('course/sub/numbers.bin').read()"
    look = f"root = '/content/elsewhere/data'\nprint({named}, {own})"
    evidence, key = small.perform(handed_in(look))
    assert text_of(executed(small, key)[1]) == "b'\\x07' \x07\n"
    assert evidence.experiments["cells"].values["rehearsal"] is True
    assert evidence.experiments["finished"].values["shrink"] == {}


@pytest.mark.parametrize("breaks", [False, True])
def test_findings_stand_beside_the_cells(theatre: Theatre, breaks: bool) -> None:
    def findings(run: Seen, code: Mapping[int, str]) -> Findings:
        if breaks:
            raise KeyError("forged")
        return Findings((f"{len(run['cells'].values['cells'])} cell",), tuple(code.values()))

    telling = replace(theatre, findings=findings)
    evidence, _ = telling.perform(handed_in(f"print({breaks!r})"))
    values = evidence.experiments["cells"].values
    told = (
        (["our fault: the run could not be read: KeyError: 'forged'"], []) if breaks else (["1 cell"], ["print(False)"])
    )
    assert (values["seen"], values["wrong"]) == told
