from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_output

from graders.execute.outputs import KEPT_TEXT, LARGEST_PICTURE, MOST_OUTPUTS, Ledger, as_shown


def stream(text: str, name: str = "stdout") -> Any:
    return new_output("stream", name=name, text=text)


def kept(*outputs: Any, left: int = 10**9) -> list[Any]:
    ledger, found = Ledger(left), []
    for output in outputs:
        ledger.add(found, output)
    ledger.finish(found)
    nbformat.validate(new_code_cell("", outputs=found), ref="code_cell", version=4, version_minor=5)
    return found


def test_text_of_one_stream_is_joined_and_others_stay_apart() -> None:
    texts = [(one["name"], one["text"]) for one in kept(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))]
    assert texts == [("stdout", "ab"), ("stderr", "c"), ("stdout", "d")]


def test_of_a_long_text_the_beginning_and_the_end_are_kept() -> None:
    (one,) = kept(stream("first "), *(stream("x" * 10_000) for _ in range(30)), stream(" last"))
    assert one["text"].startswith("first ")
    assert one["text"].endswith(" last")
    left_out = 300_000 + 11 - 2 * KEPT_TEXT
    assert f"[... {left_out} characters left out ...]" in one["text"]
    assert len(one["text"]) < 2 * KEPT_TEXT + 100


def test_progress_bars_are_shown_as_a_terminal_shows_them() -> None:
    (one,) = kept(stream("Epoch 1\n"), *(stream(f"\r{step}/9 loss") for step in range(10)), stream("\nEpoch 2\n"))
    assert one["text"] == "Epoch 1\n9/9 loss\nEpoch 2\n"
    assert as_shown("abc\x08\x08xy") == "axy"
    assert as_shown("line\r\nnext\r") == "line\nnext\r"


def test_a_notebook_may_put_out_only_so_much() -> None:
    (one,) = kept(stream("a" * 100), stream("b" * 100), left=150)
    assert one["text"].startswith("a" * 100 + "b" * 50)
    assert "50 characters left out" in one["text"]


def picture(characters: int) -> Any:
    return new_output("display_data", data={"image/png": "i" * characters, "text/plain": "<Figure>"})


def test_large_pictures_are_left_out_with_a_note() -> None:
    small, large, note = kept(picture(10), picture(LARGEST_PICTURE + 1))
    assert small["data"]["image/png"] == "i" * 10
    assert large["data"] == {"text/plain": "<Figure>"}
    assert "1 pictures" in note["text"]


def test_nothing_that_runs_is_kept() -> None:
    script = new_output("display_data", data={"application/javascript": "alert(1)", "text/html": "<script>"})
    table = new_output("execute_result", data={"text/html": "<table>", "text/plain": "a b"}, execution_count=1)
    first, note = kept(script, table)
    assert first["data"] == {"text/plain": "a b"}
    assert "displays of application/javascript, text/html" in note["text"]


def test_displays_are_counted() -> None:
    found = kept(*(picture(1) for _ in range(MOST_OUTPUTS + 5)))
    assert len(found) == MOST_OUTPUTS + 1
    assert "5 outputs" in found[-1]["text"]


def test_a_traceback_is_cut() -> None:
    (one,) = kept(new_output("error", ename="E" * 999, evalue="v" * 99_999, traceback=["t" * 99_999] * 999))
    assert len(one["ename"]) == 200
    assert len(one["evalue"]) == 2000
    assert sum(map(len, one["traceback"])) <= 2_000_000
