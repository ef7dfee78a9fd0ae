from __future__ import annotations

import base64
import io
import json
import time
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from graders.model import Evidence, SourceFile, Submission
from graders.record import fingerprint, flags, read
from graders.record.lines import pairs, quantity, shown_lines
from graders.record.pictures import MOST_BYTES, Gallery, Picture
from graders.reports.page import student_page
from graders.store import read_evidence, write_evidence
from tests.unit.evidence import same
from tests.unit.notebook.build import program
from tests.unit.reports.sample import report

from .build import TEN, bar2, code, document, error, figure, lines, picture, png, real, record, result, stream, text


def values(evidence: Evidence, experiment: str, name: str = "") -> list[dict[str, Any]]:
    return list(evidence.experiments[experiment].values[name or experiment])


@pytest.mark.parametrize(("name", "last", "resumed"), [("keras2", 0.2, 0.6202), ("keras3", 0.31, 0.6202)])
def test_logs_of_really_run_notebooks(name: str, last: float, resumed: float) -> None:
    runs = {run["cell"]: run for run in values(real(name), "logs", "runs")}
    assert runs[4]["curves"] == {"loss": [0.6806, 0.6767, 0.6728], "val_loss": [0.6768, 0.673, 0.6692]}
    assert (runs[4]["announced"], runs[4]["steps"], runs[4]["epochs"]) == (3, 3, [1, 2, 3])
    assert (runs[5]["announced"], list(runs[5]["curves"]), runs[5]["curves"]["loss"][0]) == (
        2, ["loss", "val_loss"], 0.6697,
    )  # fmt: skip
    assert runs[9]["source"] == "history"
    assert runs[9]["curves"]["loss"] == pytest.approx([0.6806, 0.6767, 0.6728], abs=1e-4)
    assert (runs[10]["source"], runs[10]["steps"], runs[10]["epochs"]) == ("bars", 6, [1, 2])
    assert (runs[11]["source"], runs[11]["steps"]) == ("bars", 12)
    assert (runs[13]["announced"], runs[13]["epochs"]) == (4, [1, 2])  # stopped early
    assert (runs[14]["announced"], runs[14]["epochs"], runs[14]["curves"]["loss"][1]) == (3, [2, 3], resumed)
    assert runs.keys() == {4, 5, 9, 10, 11, 13, 14} | ({15} if name == "keras3" else set())
    if name == "keras3":  # tqdm, on stderr
        assert runs[15]["curves"] == {"loss": [0.51, last]}


@pytest.mark.parametrize("name", ["keras2", "keras3"])
def test_evaluations_of_really_run_notebooks(name: str) -> None:
    found = [(one["cell"], one["steps"], one["values"]["loss"]) for one in values(real(name), "logs", "evaluations")]
    assert [(cell, steps) for cell, steps, _ in found] == [(3, 3), (3, None), (7, 3), (7, None), (8, 3), (8, None)]
    assert [loss for _, _, loss in found] == pytest.approx([0.6819] * 2 + [0.6625] * 4, abs=2e-4)
    (claim,) = values(real(name), "claims")
    assert (claim["cell"], claim["line"], claim["label"], claim["test"], claim["printed"]) == (
        6, 1, "test loss before loading:", True, True,
    )  # fmt: skip


def test_pictures_of_a_really_run_notebook() -> None:
    images = {image["cell"]: image for image in values(real("keras3"), "images")}
    assert [cell for cell, image in images.items() if image["chart"]] == [16]
    assert (images[17]["panels"], images[17]["sure"]) == (10, True)
    assert images[18]["panels"] == 1
    assert images[19]["panels"] == 10  # a strip in one pair of axes
    assert (images[20]["panels"], images[20]["drawn"]) == (1, 1)


def test_cells_of_a_really_run_notebook() -> None:
    cells = {cell["cell"]: cell for cell in values(real("keras3"), "cells")}
    assert cells[21]["error"] == ["ZeroDivisionError", "division by zero"]
    assert [number for number, cell in cells.items() if cell["trains"]] == [4, 5, 10, 11, 13, 14]
    assert [number for number, cell in cells.items() if cell["evaluates"]] == [3, 6, 7, 8]
    assert [number for number, cell in cells.items() if cell["generates"]] == [12]
    (notebook,) = values(real("keras3"), "cells", "notebooks")
    assert (notebook["order"], notebook["gaps"]) == ("in order", 0)


def test_what_is_said_of_cells() -> None:
    evidence = read(
        submission_of(
            code("def train():\n    model.fit(x)", count=1),
            code("train()", error(), count=7),
            code("train()", stream("ok\n"), count=8),
            code("print(1)", count=3),
            code("y = 2"),
            code("# nothing\n"),
            text("words"),
        )
    )
    cells = values(evidence, "cells")
    assert [cell["trains"] for cell in cells] == [False, True, True, False, False, False]
    assert [cell["mended"] for cell in cells] == [False, True, False, False, False, False]
    assert [cell["silent"] for cell in cells] == [False, False, False, True, False, False]
    assert [cell["blank"] for cell in cells] == [False, False, False, False, False, True]
    assert values(evidence, "cells", "notebooks")[0] == {"file": "hw.ipynb", "order": "out of order", "gaps": 4}


def submission_of(*cells: dict[str, Any]) -> Submission:
    made = document(*cells, counted=False)
    return Submission("s", "s", (SourceFile("hw.ipynb", "", len(made), made),))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (" - 95s 72ms/step - loss: 0.2013 - binary_crossentropy: 0.9 - val_loss: 1.5e-01", [0.2013, 0.15]),
        (": train 0.21 val 0.20", [0.21, 0.20]),
        (", Train Loss = 0.21, Valid Loss = .20, lr 0.001, took 3.5s", [0.21, 0.20]),
        (" loss: nan - val_loss: 1e999", [None, None]),
    ],
)
def test_named_numbers(line: str, expected: list[float | None]) -> None:
    assert pairs(line) == dict(zip(("loss", "val_loss"), expected, strict=True))


def test_words_that_are_no_loss() -> None:
    assert [quantity(name) for name in ("lr", "step", "Time", "ETA", "epoch")] == [""] * 5
    assert pairs("Epoch 3: val_loss did not improve from 0.19") == {}
    assert list(shown_lines("a\rb\x1b[1mc\x1b[0m\r\n\n\n x")) == ["bc", " x"]


def test_claims_in_text_and_print() -> None:
    evidence = record(
        text("# Results\nThe **test loss** is `0.1936`.\nTraining took 3.5 hours."),
        code(
            "print()", stream("Final val loss: 0.2\nBCE on the test set (329 batches): 0.1949\nTest accuracy: 0.91\n")
        ),
    )
    found = [
        (one["cell"], one["line"], one["value"], one["test"], one["printed"]) for one in values(evidence, "claims")
    ]
    assert found == [(1, 2, 0.1936, True, False), (2, 1, 0.2, False, True), (2, 2, 0.1949, True, True)]


# What is hostile ------------------------------------------------------------------------------------------------------


def test_pictures_that_are_none_are_said_so() -> None:
    whole = png(figure(TEN))
    gallery = Gallery()
    for encoded in ("", "%%%", "aGVsbG8=", whole[: len(whole) // 2], "A" * (MOST_BYTES * 4 // 3 + 1)):
        found, small = gallery.look("image/png", encoded)
        assert found.problem
        assert small is None
    assert gallery.look("image/jpeg", whole)[0].problem  # not what it says


def test_a_picture_that_unfolds_to_gigabytes_is_left_out() -> None:
    header = bytearray(base64.b64decode(png([[0]])))
    for place, size in ((16, 60_000), (20, 60_000)):
        header[place : place + 4] = size.to_bytes(4, "big")

    header[29:33] = zlib.crc32(header[12:29]).to_bytes(4, "big")
    started = time.monotonic()
    found, small = Gallery().look("image/png", base64.b64encode(bytes(header)).decode())
    assert (found.problem, small) == ("too large", None)
    assert time.monotonic() - started < 1


def test_thumbnails_are_small_and_ours() -> None:
    evidence = record(code("show()", picture(np.zeros((500, 900))), picture(figure(TEN)), picture(lines())))
    arrays = evidence.experiments["images"].arrays
    assert list(arrays) == ["image 000", "image 001", "image 002"]
    assert all(array.dtype == np.uint8 and max(array.shape) <= 256 for array in arrays.values())
    assert arrays["image 000"].shape[2] == 3


def test_nothing_but_text_and_pixels_is_read() -> None:
    html = {"text/html": "<script>alert(1)</script>", "application/javascript": "alert(1)", "image/svg+xml": "<svg/>"}
    evidence = record(code("x", {"output_type": "display_data", "data": html}), text("<img src=x onerror=alert(1)>"))
    said = json.dumps([dict(one.values) for one in evidence.experiments.values()])
    assert "alert" not in said
    assert "svg" not in said
    assert values(evidence, "cells")[0]["output"]


_scalars = st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=30)
_keys = st.sampled_from(
    "cells cell_type source outputs output_type text data image/png text/plain name execution_count ename evalue "
    "worksheets metadata".split()
)
_words = st.sampled_from(
    ["code", "markdown", "stream", "execute_result", "error", "pyout", "Epoch 1/2\n", "loss: 1e999"]
)
_json = st.recursive(
    _scalars | _words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=6),
    max_leaves=25,
)
_outputs = st.lists(st.dictionaries(_keys, _json, max_size=5) | _json, max_size=4) | _json
_cells = st.fixed_dictionaries(
    {"cell_type": st.just("code") | _json},
    optional={"source": _json | _words, "outputs": _outputs, "execution_count": _json},
)


@settings(max_examples=80, deadline=None)
@given(st.fixed_dictionaries({"cells": st.lists(_cells | _json, max_size=4)}) | _json)
def test_any_json_is_read_kept_and_shown(notebook: Any) -> None:
    made = json.dumps(notebook)
    evidence = read(Submission("s", "s", (SourceFile("hw.ipynb", "", len(made), made),)))
    assert set(evidence.experiments) == {"cells", "logs", "images", "claims", "counts", "traces", "files", "heads"}
    saved, arrays = write_evidence(evidence)
    assert same(read_evidence(json.loads(json.dumps(saved, allow_nan=False)), arrays), evidence)
    assert isinstance(flags(evidence, None, program("x = 1")), tuple)
    assert isinstance(fingerprint(evidence), dict)
    student_page(report("Ada", {}), evidence).encode()


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("Epoch 1/20:loss=.-val\r\b\n[]={}'nae9"), max_size=400))
def test_any_printed_text_is_read(printed: str) -> None:
    evidence = record(code("model.fit(x)\nmodel.evaluate(x)", stream(printed), result(printed)))
    for run in values(evidence, "logs", "runs"):
        assert all(len(curve) == len(run["epochs"]) for curve in run["curves"].values())


UPDATE = "\b" * 80 + "\r 500/1313 [=====>...] - ETA: 1:10 - loss: 0.2013"
HUGE = {
    "updates in one line": UPDATE * 20_000,
    "updates and epochs": f"Epoch 1/2\n{UPDATE * 400}\n{bar2(0.2)}" * 50,
    "empty lines": "\n" * 3_000_000,
    "short lines": "a\n" * 1_500_000,
    "words after an epoch": "Epoch 1\n" + ("a " * 990 + "\n") * 1_500,
    "digits": "Epoch 1\n" + "1" * 3_000_000,
    "brackets": "'loss': [" * 300_000,
    "commas": "'loss': [" + "0.1," * 700_000,
    "signs of a claim": ("test loss " * 40 + "\n") * 7_000,
    "escapes": "\x1b[0;" * 700_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_three_megabytes_of_output_are_read_at_once(name: str) -> None:
    """A notebook may hold thirty times as much: the time is linear in it, or bounded."""
    made = submission_of(code("model.fit(x)\nmodel.evaluate(x)", stream(HUGE[name]), result(HUGE[name])))
    started = time.process_time()
    read(made)
    assert time.process_time() - started < 2.5


# What matplotlib draws ------------------------------------------------------------------------------------------------


def drawn(rows: int, columns: int, invert: bool = False, ticks: bool = False, titles: bool = False) -> Picture:
    """What is seen in a figure of that many pictures, as a notebook saves it."""
    figure = Figure(figsize=(1.6 * columns, 1.8 * rows))
    for at in range(rows * columns):
        axes = figure.add_subplot(rows, columns, at + 1)
        axes.imshow(1 - TEN[at] if invert else TEN[at], cmap="gray")
        axes.axis("on" if ticks else "off")
        axes.set_title(f"Image {at}" if titles else "")
    return looked_at(figure)


def looked_at(figure: Figure) -> Picture:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", dpi=72)
    return Gallery().look("image/png", base64.b64encode(buffer.getvalue()).decode())[0]


@pytest.mark.parametrize(("rows", "columns"), [(2, 5), (1, 10), (5, 2), (1, 1), (1, 5)])
@pytest.mark.parametrize("look", [{}, {"ticks": True}, {"ticks": True, "invert": True}, {"titles": True}])
def test_pictures_in_a_figure_are_counted(rows: int, columns: int, look: dict[str, bool]) -> None:
    found = drawn(rows, columns, **look)
    assert (found.panels, found.drawn, found.distinct, found.sure) == (*[rows * columns] * 3, True)


@pytest.mark.parametrize(("rows", "columns"), [(2, 5), (1, 10), (5, 2)])
def test_white_pictures_without_frames_are_many_pieces(rows: int, columns: int) -> None:
    found = drawn(rows, columns, invert=True)
    assert not found.sure
    assert found.panels >= 6
    assert drawn(1, 1, invert=True).panels < 6


@pytest.mark.parametrize("colour", ["C0", "k"])
def test_a_loss_curve_is_no_picture(colour: str) -> None:
    figure = Figure()
    figure.add_subplot().plot([0.3, 0.2, 0.19], color=colour)
    assert looked_at(figure).chart
