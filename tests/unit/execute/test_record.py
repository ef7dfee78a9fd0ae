import json
from typing import Any

import pytest

from graders.execute import Stage, record
from graders.model import Failure
from graders.sandbox.fork import Ended
from graders.sandbox.limits import Limits
from tests.unit.execute.notebooks import notebook, text_of

ERROR = {
    "output_type": "error",
    "ename": "NameError",
    "evalue": "name 'z'\nis \x1b[31mnot\x1b[0m defined",
    "traceback": ["Cell In[2], line 9", "\x1b[0;32mCell In[1], line\x1b[0m 4", "Cell In[1], line 4\n----> z"],
}


def reported(outputs: Any, count: Any = 1, **header: Any) -> dict[str, Any]:
    body = json.dumps({"outputs": outputs, "execution_count": count}).encode()
    return record.validated({"status": "ok", "seconds": 0.5, **header}, body)


def test_a_report_that_is_nbformats_is_taken() -> None:
    assert reported([ERROR], status="error")["outputs"] == [ERROR]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{",
     b'{"outputs": 5, "execution_count": 1}', b'{"outputs": [{"output_type": "x"}], "execution_count": 1}',
     b'{"outputs": [{"output_type": "stream", "name": "stdout", "text": {}}], "execution_count": 1}',
     b'{"outputs": [], "execution_count": "x"}', b"[" * 100_000],
)  # fmt: skip
def test_a_report_that_is_not_counts_as_unread(body: bytes) -> None:
    report = record.validated({"status": "ok", "seconds": "x"}, body)
    assert (report["status"], report["outputs"], report["seconds"]) == ("unread", [], 0.0)


def test_half_characters_do_not_reach_a_file() -> None:
    report = reported([{"output_type": "stream", "name": "stdout", "text": "a\ud800b"}])
    assert report["outputs"][0]["text"] == "a?b"


def test_a_status_that_is_none_counts_as_unread() -> None:
    assert reported([], status="full marks")["status"] == "unread"


def assembled(ran: dict[int, Any], end: Failure | None = None) -> tuple[dict[str, Any], list[Any], list[str]]:
    made = record.blank(notebook("a", "b", "c"), Stage("pixelcnn", 1))
    done, cells, notes = record.assemble(made, record.runnable(made), ran, end)
    entries: Any = cells.values["cells"]
    return done, entries, notes


def test_an_error_is_told_with_the_innermost_place_in_the_students_cells() -> None:
    _, entries, _ = assembled({2: reported([], 2), 3: reported([ERROR], 1, status="error")})
    assert entries[1] == {
        "cell": 3, "status": "error", "kind": "NameError", "message": "name 'z' is not defined",
        "where": "cell 3, line 4", "seconds": 0.5,
    }  # fmt: skip


def test_cells_without_a_report_were_not_run_and_say_why() -> None:
    done, entries, notes = assembled({2: reported([])}, Failure("memory", "too much"))
    assert [entry["status"] for entry in entries] == ["ok", "not run", "not run"]
    assert text_of(done["cells"][3]) == "[not run: too much]\n"
    assert notes == ["cells 3 to 4: not run: too much"]


def test_the_cell_in_which_the_kernel_ended_carries_its_end() -> None:
    _, entries, notes = assembled({2: reported([], None, status="died")}, Failure("memory", "too much"))
    assert (entries[0]["status"], entries[0]["kind"]) == ("died", "memory")
    assert entries[1]["message"] == "the run ended in cell 2"
    assert notes[0] == "cell 2: too much"


@pytest.mark.parametrize(
    ("ended", "broken", "kind"),
    [
        (None, "", None),
        (Ended("ended"), "", None),
        (Ended("timeout"), "closed", "timeout"),
        (Ended("ended", -24), "closed", "timeout"),
        (Ended("memory", -9), "closed", "memory"),
        (Ended("disk", -9), "closed", "memory"),
        (Ended("cancelled", -9), "closed", "timeout"),
        (Ended("ended", -11), "closed", "killed"),
        (Ended("ended", 3), "closed", "exit"),
        (Ended("ended", 0), "a frame's header is not JSON", "evidence"),
        (Ended("cancelled", -9), "a frame's header is not JSON", "evidence"),
    ],
)
def test_the_end_of_a_kernel(ended: Ended | None, broken: str, kind: str | None) -> None:
    end = record.end_of(ended, broken, Limits())
    assert (end.kind if end else None) == kind
