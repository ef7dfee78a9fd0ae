"""Notebooks run by real kernels under confinement; one nursery for all, and many cells a notebook, to be quick."""

import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from graders.errors import Stopped, UsageError
from graders.execute import MODULES, Executed, Stage, record, run, run_limits, supervise
from graders.execute.stage import recorder_seed
from graders.execute.supervise import SOCKETS
from graders.sandbox.levels import try_level
from graders.sandbox.nursery import Nursery
from tests.unit.execute.notebooks import notebook, text_of

STAND_IN = "tests.unit.execute.stand_in"
SECONDS = 40


@pytest.fixture(scope="module", params=["full", "no-namespaces"])
def nursery(request: pytest.FixtureRequest) -> Iterator[Nursery]:
    if reason := try_level(request.param).reason:
        pytest.skip(f"this machine does not give the level {request.param}: {reason}")
    with Nursery(("graders.probes.wire", *MODULES, STAND_IN), request.param, run_limits(SECONDS)) as made:
        yield made


def ran(nursery: Nursery, *codes: str, **stage: Any) -> Executed:
    wanted = {"recorder": STAND_IN, "cell_seconds": 20.0, "total_seconds": float(SECONDS), **stage}
    executed = run(nursery, notebook(*codes), Stage("pixelcnn", 7, **wanted))
    nbformat.validate(executed.notebook)
    return executed


def cells_of(executed: Executed) -> list[dict[str, Any]]:
    values: Any = executed.evidence.experiments["cells"].values["cells"]
    return list(values)


def statuses(executed: Executed) -> list[str]:
    return [cell["status"] for cell in cells_of(executed)]


ORDINARY = (
    "x = 1\nprint('hello')",
    "y = 2\n\ny / 0",
    "",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "!pip install nothing\n%pip install nothing\n!echo 'from a shell' && exit 3\nprint(_exit_code)",
    "name = input('Who? ')",
    "import sys\nsys.exit(1)",
    "from google.colab import drive, files\ndrive.mount('/content/drive')\nfiles.upload()",
    "import tqdm.notebook, tqdm.auto\nprint(sum(tqdm.notebook.tqdm(range(3))), sum(tqdm.auto.tqdm(range(3))))",
    "lines = !ls pa2/train\nprint(list(lines), open('here/w.h5').read())",
    "import os\nprint(sorted(os.listdir('there/train')), os.path.basename(os.getcwd()))",
    "import urllib.request\nurllib.request.urlopen('https://example.org')",
    "open('/usr/made', 'w')",
    "exit()",
    "x + 1",
    "%matplotlib inline\n%load_ext autoreload\nprint('goes on')",
)


@pytest.fixture(scope="module")
def ordinary(nursery: Nursery) -> Executed:
    files = {"pa2/train/a.jpg": b"a", "pa2/test/b.jpg": b"b", "pa2/w.h5": b"weights"}
    links = {"there": "pa2", "here/w.h5": "pa2/w.h5", "/content/drive/MyDrive/x": "pa2", "q.zip": "pa2"}
    return ran(nursery, *ORDINARY, files=files, links=links, shrink={"N": 2})


def test_cells_run_in_order_and_errors_do_not_stop_them(ordinary: Executed) -> None:
    assert ordinary.evidence.fault == ""
    assert ordinary.evidence.failure is None
    counts = [cell["execution_count"] for cell in ordinary.notebook["cells"][1:]]
    assert counts == [1, 2, None, *range(3, 16)]
    by_number = {cell["cell"]: (cell["status"], cell["kind"]) for cell in cells_of(ordinary)}
    assert by_number == {
        2: ("ok", ""),
        3: ("error", "ZeroDivisionError"),
        5: ("ok", ""),
        6: ("ok", ""),
        7: ("error", "StdinNotImplementedError"),
        8: ("error", "SystemExit"),
        9: ("ok", ""),
        10: ("ok", ""),
        11: ("ok", ""),
        12: ("ok", ""),
        13: ("error", "URLError"),
        14: ("error", by_number[14][1]),
        15: ("error", "SystemExit"),
        16: ("ok", ""),
        17: ("ok", ""),
    }
    assert by_number[14][1] in ("OSError", "PermissionError")


def test_an_error_names_the_students_cell_and_line(ordinary: Executed) -> None:
    entry = next(cell for cell in cells_of(ordinary) if cell["cell"] == 3)
    assert (entry["message"], entry["where"]) == ("division by zero", "cell 3, line 3")


def test_what_cells_put_out_is_in_the_notebook(ordinary: Executed) -> None:
    cells = ordinary.notebook["cells"]
    assert text_of(cells[1]) == "hello\n"
    assert [one["data"]["image/png"][:8] for one in cells[4]["outputs"] if one["output_type"] == "display_data"] == [
        "iVBORw0K"
    ]
    assert "3 3\n" in text_of(cells[9])
    assert cells[15]["outputs"][0]["data"]["text/plain"] == "2"
    assert ordinary.notebook["metadata"]["graders"] == {
        "rehearsal": True,
        "assignment": "pixelcnn",
        "seed": 7,
        "shrink": {"N": 2},
    }


def test_installs_are_answered_and_other_commands_run(ordinary: Executed) -> None:
    text = text_of(ordinary.notebook["cells"][5])
    assert "not run here: pip install nothing; what is installed is" in text
    assert "not run here: %pip install nothing" in text
    assert text.endswith("from a shell\n3\n")


def test_the_notes_say_what_was_not_run(ordinary: Executed) -> None:
    notes = "\n".join(ordinary.notes)
    assert "not run here: pip install nothing" in notes
    assert "not run here: drive.mount('/content/drive')" in notes
    assert "not run here: google.colab.files.upload()" in notes
    assert "cell 7: it asks for input(), and nobody is there to answer" in notes


def test_the_data_lie_where_the_notebook_looks(ordinary: Executed, nursery: Nursery) -> None:
    cells = ordinary.notebook["cells"]
    assert text_of(cells[10]) == "['a.jpg'] weights\n"
    assert text_of(cells[11]) == "['a.jpg'] content\n"
    notes = [note for note in ordinary.notes if "cannot be laid out" in note]
    assert len(notes) == (0 if nursery.level == "full" else 1)


def test_the_recorder_is_called_before_after_each_cell_and_at_the_end(ordinary: Executed) -> None:
    seen = ordinary.evidence.experiments
    assert seen["after 2"].values == {"x": "1"}
    values = dict(seen["finished"].values)
    assert values.pop("seed") == recorder_seed(Stage("pixelcnn", 7)) not in (7, recorder_seed(Stage("pixelcnn", 8)))
    assert values == {"cells": [2, 3, *range(5, 18)], "shrink": {"N": 2}}


HOSTILE = (
    "while True:\n    pass",
    "for _ in range(1000):\n    print('x' * 100_000)",
    "print('y' * 100_000_000)\nprint('not sent')",
    "import os\nos.system('head -c 30000000 /dev/zero | tr \"\\\\0\" z')",
    "from IPython.display import *\nfor n in range(2000):\n    display(Javascript('alert(1)'), n)",
    "import socket\nfor kind in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):\n"
    "    try:\n        socket.socket(kind)\n        print('made', kind)\n    except OSError:\n        print('denied')",
    "import subprocess\np = [subprocess.Popen(['sleep', '99']) for _ in range(500)]",
    "[one.kill() for one in p] if 'p' in dir() else None\nprint('alive')",
    "import os\nprint('last words', flush=True)\n__import__('time').sleep(0.5)\nos._exit(3)",
    "print('never')",
)


@pytest.fixture(scope="module")
def hostile(nursery: Nursery) -> Executed:
    return ran(nursery, *HOSTILE, cell_seconds=2.0)


def test_a_cell_over_its_time_is_interrupted_and_the_next_runs(hostile: Executed) -> None:
    first, second, *_ = cells_of(hostile)
    assert (first["status"], first["kind"]) == ("interrupted", "timeout")
    assert first["message"].startswith("stopped after 2.")
    assert second["status"] != "not run"


def test_floods_are_cut(hostile: Executed) -> None:
    sizes = [len(text_of(cell)) for cell in hostile.notebook["cells"][2:5]]
    assert max(sizes) < 130_000
    assert min(sizes[:2]) > 90_000
    assert "characters left out" in text_of(hostile.notebook["cells"][2])
    assert re.search(r"left out here: \d{3,} outputs", text_of(hostile.notebook["cells"][5]))  # 3800 in time enough
    assert "javascript" not in str(hostile.notebook["cells"][5]["outputs"][:-1])


def test_no_socket_can_be_made(hostile: Executed) -> None:
    assert text_of(hostile.notebook["cells"][6]) == "denied\n" * 4


def test_processes_are_bounded(hostile: Executed) -> None:
    assert "BlockingIOError" in str(hostile.notebook["cells"][7]["outputs"])
    assert "alive" in text_of(hostile.notebook["cells"][8])


def test_when_the_kernel_leaves_what_had_run_is_kept(hostile: Executed) -> None:
    *_, last, never = cells_of(hostile)
    assert (last["status"], last["kind"]) == ("died", "exit")
    assert "last words" in text_of(hostile.notebook["cells"][9])
    assert (never["status"], never["message"]) == ("not run", "the run ended in cell 10")
    assert hostile.evidence.failure is not None
    assert hostile.evidence.failure.message == "the kernel left with status 3 before the end of the notebook"
    assert "cell 11: not run: the run ended in cell 10" in hostile.notes


def test_a_cell_that_does_not_heed_an_interrupt_ends_the_run(nursery: Nursery) -> None:
    stubborn = "while True:\n  try:\n    while True:\n      pass\n  except KeyboardInterrupt:\n    pass"
    started = time.monotonic()
    executed = ran(nursery, "print(1)", stubborn, "print(2)", cell_seconds=1.0)
    assert time.monotonic() - started < 12
    assert statuses(executed) == ["ok", "interrupted", "not run"]
    assert "did not end when it was interrupted" in cells_of(executed)[1]["message"]
    assert executed.evidence.experiments["finished"].values["cells"] == [2]  # the recorder could finish all the same


def test_a_fork_bomb_ends_in_time(nursery: Nursery) -> None:
    started = time.monotonic()
    executed = ran(nursery, "import os\nwhile True:\n    os.fork()", cell_seconds=1.0, total_seconds=4.0)
    assert time.monotonic() - started < 4 + 20
    assert statuses(executed) != ["ok"]


def test_the_whole_notebook_has_its_time_too(nursery: Nursery) -> None:
    nap = "import time\ntime.sleep(1.4)"
    executed = ran(nursery, nap, nap, nap, nap, total_seconds=3.6)
    assert statuses(executed)[-1] == "not run"
    assert "the time of the whole notebook was used up" in executed.notes[-1]


def test_a_kernel_that_speaks_nonsense_harms_nobody(nursery: Nursery) -> None:
    forged = (
        "ip = get_ipython()\ns, pub = ip.kernel.session, ip.kernel.iopub_socket\n"
        "parent = ip.kernel.get_parent()\n"
        "kinds = 'stream display_data error status comm_open update_display_data clear_output'.split()\n"
        "for content in ({}, {'name': 3, 'text': []}, {'data': 7, 'metadata': []}, {'execution_state': {}}):\n"
        "    for kind in kinds:\n"
        "        s.send(pub, kind, content, parent=parent)\n"
    )
    executed = ran(nursery, forged, "print('after')")
    assert statuses(executed)[0] in ("error", "ok")
    assert "after" in text_of(executed.notebook["cells"][2])


def test_a_recorder_that_is_not_there_is_our_fault(nursery: Nursery) -> None:
    executed = ran(nursery, "print(1)", recorder="graders.no_such_module")
    assert "No module named 'graders.no_such_module'" in executed.evidence.fault
    assert statuses(executed) == ["not run"]


def test_a_stage_that_is_too_large_is_refused() -> None:
    with Nursery((), "none", run_limits(SECONDS)) as unused, pytest.raises(UsageError, match="holds 61 MiB"):
        ran(unused, "1", files={"a": b"x" * (61 << 20)})


def test_a_supervisor_that_is_lost_leaves_what_had_run(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    validated = record.validated

    def lost_after_the_first(header: Any, blob: bytes) -> dict[str, Any]:
        sessions[0].conductor.end()
        return validated(header, blob)

    sessions: list[Any] = []
    began = supervise._Session.__init__
    monkeypatch.setattr(
        supervise._Session, "__init__", lambda self, *given: (began(self, *given), sessions.append(self))[0]
    )
    monkeypatch.setattr(record, "validated", lost_after_the_first)
    executed = ran(nursery, "print('kept')", "import time\ntime.sleep(9)")
    assert statuses(executed) == ["ok", "not run"]
    assert text_of(executed.notebook["cells"][1]) == "kept\n"
    assert executed.notes == ("cell 3: not run: the run's supervisor ended early (cancelled, closed)",)
    assert "finished" in executed.evidence.experiments or executed.evidence.failure is not None


def test_a_nursery_that_is_closed_stops_the_run() -> None:
    closing = Nursery(("graders.probes.wire", *MODULES, STAND_IN), "none", run_limits(SECONDS))
    timer = threading.Timer(4.0, closing.close)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        ran(closing, "import time\ntime.sleep(30)", cell_seconds=35.0)
    assert time.monotonic() - started < 20
    timer.join()


def test_nothing_is_left_in_the_folder_of_the_sockets(ordinary: Executed) -> None:
    assert re.search("rehearsal", str(ordinary.notebook["metadata"]))
    assert not list(Path("/tmp").glob(f"{SOCKETS}{os.getpid()}-*"))


def test_nothing_is_left_of_a_fork_bomb(nursery: Nursery) -> None:
    """Once its monitor is gone, whatever it left would belong to the first process of the machine."""
    ran(nursery, "import os\nwhile True:\n    os.fork()", cell_seconds=0.5, total_seconds=1.0)
    mine = [process for process in Path("/proc").glob("[0-9]*") if f"\0{STAND_IN}\0" in _text(process / "cmdline")]
    assert not [process for process in mine if "\nPPid:\t1\n" in _text(process / "status")]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended in the meantime
        return ""
