"""The kernel's own parts, without a kernel."""

import socket
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from graders.execute import layout, shims
from graders.execute.kernel import Hooks, Sender
from graders.model import Experiment
from graders.sandbox import frames


@pytest.fixture
def sender() -> Iterator[tuple[Sender, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Sender(ours, 6, 5000), theirs


def test_values_that_are_too_large_become_a_failure_that_says_so(sender: tuple[Sender, socket.socket]) -> None:
    sending, receiving = sender
    sending.emit("call 000", Experiment({"x": "y" * frames.HEADER_CAP}))
    header, _ = frames.receive(receiving, 0) or ({}, b"")
    assert header["experiment"] == "call 000"
    assert header["failure"]["message"] == "its values are over 256 KiB"


def test_arrays_that_are_too_many_become_a_failure_and_smaller_ones_still_go(
    sender: tuple[Sender, socket.socket],
) -> None:
    sending, receiving = sender
    for name, size in (("a", 3000), ("b", 3000), ("c", 100)):
        sending.emit(name, Experiment({}, {"x": np.zeros(size, np.uint8)}))
    got = [frames.receive(receiving, 5000) or ({}, b"") for _ in range(3)]
    assert [len(blob) > 0 for _, blob in got] == [True, False, True]
    assert got[1][0]["failure"]["message"] == "its arrays are more than is left of what a run may send"


def test_no_more_frames_are_sent_than_are_taken(sender: tuple[Sender, socket.socket]) -> None:
    sending, receiving = sender
    for number in range(10):
        sending.emit(f"call {number}", Experiment())
    sending.channel.close()
    names = []
    while frame := frames.receive(receiving, 0):
        names.append(frame[0]["experiment"])
    assert names == ["call 0", "call 1", "call 2"]


def test_a_recorder_that_fails_is_told_and_costs_no_cell(sender: tuple[Sender, socket.socket]) -> None:
    class Broken:
        def after_cell(self, number: int) -> None:
            raise ValueError("no such model")

    hooks = Hooks(Broken(), [3], sender[0], lambda: "one")
    hooks._before(None)
    hooks._after(None)
    header, _ = frames.receive(sender[1], 0) or ({}, b"")
    assert (header["experiment"], header["failure"]["message"]) == ("after cell 3", "ValueError: no such model")


def test_cells_that_a_cell_runs_do_not_count(sender: tuple[Sender, socket.socket]) -> None:
    seen: list[int] = []

    class Recorder:
        after_cell = staticmethod(seen.append)

    request = "first"
    hooks = Hooks(Recorder(), [2, 5, 6], sender[0], lambda: request)
    for before in (True, True, False, False):
        (hooks._before if before else hooks._after)(None)
    request = "interrupted: its end is not told"
    hooks._before(None)
    request = "third"
    hooks._before(None)
    hooks._after(None)
    assert seen == [2, 6]


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("pip install x", True),
        ("pip3 -q install x", True),
        ("python3 -m pip install x", True),
        ("sudo apt-get -y install x", True),
        ("cd a; wget -q https://example.org", True),
        ("git clone https://example.org", True),
        ("unzip -q a.zip", True),
        ("tar xzf a.tgz", True),
        ("git status", False),
        ("ls | grep pip", False),
        ("echo unzip", False),
        ("python train.py", False),
        ("mkdir -p a/tar", False),
        ("nvidia-smi", False),
    ],
)
def test_which_commands_are_refused(command: str, refused: bool) -> None:
    assert bool(shims.refused(command)) == refused


def laid(tmp_path: Any, links: dict[str, str], **files: bytes) -> list[str]:
    sizes = {name: len(content) for name, content in files.items()}
    order = {"files": sizes, "given": {}, "links": links, "folders": []}
    return layout.lay_out(order, b"".join(files.values()))


@pytest.fixture
def here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "content"


FILES = {"pa2/train/a.jpg": b"aa", "pa2/w.h5": b"w"}


def test_files_and_links_are_laid_out(here: Any) -> None:
    links = {"x/pa2": "pa2", "x/pa2/train_half": "pa2/train", "y/z.h5": "pa2/w.h5", "C:\\pa2\\train": "pa2/train"}
    assert laid(here, links, **FILES) == []
    assert (here / "x/pa2/train_half/a.jpg").read_bytes() == b"aa"
    assert (here / "C:\\pa2\\train" / "a.jpg").exists()
    (here / "y/z.h5").write_bytes(b"the student's own")
    assert (here / "pa2/w.h5").read_bytes() == b"w"


def test_a_folder_that_the_notebook_goes_to_has_what_the_stage_has(here: Any) -> None:
    assert laid(here, {"some/where": "."}, **FILES) == []
    assert (here / "some/where/pa2/train/a.jpg").exists()


def test_an_archive_is_made_of_the_data(here: Any) -> None:
    import zipfile

    assert laid(here, {"q/pa2.zip": "pa2"}, **FILES) == []
    assert sorted(zipfile.ZipFile(here / "q/pa2.zip").namelist()) == ["pa2/train/a.jpg", "pa2/w.h5"]


def test_a_link_that_cannot_be_made_is_noted_and_the_others_are(here: Any) -> None:
    (note,) = laid(here, {"/proc/pa2": "pa2", "z": "pa2"}, **FILES)
    assert note.startswith("/proc/pa2: cannot be laid out here")
    assert note.endswith("the data are at pa2")
    assert (here / "z/w.h5").exists()


def test_colabs_modules_answer_whatever_they_are_asked(capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    notes: list[str] = []
    modules = shims._colab(notes.append)
    modules["google.colab.drive"].mount(str(tmp_path / "drive"))
    assert (tmp_path / "drive/MyDrive").is_dir()
    assert modules["google.colab"].files.download("a") == {}  # type: ignore[attr-defined]
    assert notes[1] == "not run here: google.colab.files.download('a')"
    assert "google.colab" not in sys.modules
