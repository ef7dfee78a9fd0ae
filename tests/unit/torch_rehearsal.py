"""Rehearses notebooks of handout C for tests: in this process, cell by cell, with small networks on drawn data."""

from __future__ import annotations

import contextlib
import io
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graders.data import horses
from graders.home import reference_path
from graders.model import Evidence, Experiment
from tests.unit.rehearsal import cells_of

SEED = 11
ITEMS = ("4.2", "5.2", "6.2")


def reference_text() -> str:
    """Return the reference of handout C with small networks."""
    return small(reference_path("colourization").read_text(encoding="utf-8"))


def small(text: str) -> str:
    """Return a text of handout C with 2 filters and 5 colours."""
    assert text.count('"num_filters": 32') == text.count('"num_colours": 24') == 1
    for old, new in (('filters": 32', 'filters": 2'), ('colours": 24', 'colours": 5'), ("(3, 32, 24", "(3, 2, 5")):
        text = text.replace(old, new)
    return text


def training(text: str, *items: str) -> str:
    """Return a text that trains the networks of these items alone."""
    for item in ITEMS:
        if item not in items:
            text = re.sub(rf"(# BEGIN SOLUTION {item}\n).*?(# END SOLUTION)", r"\1\2", text, flags=re.DOTALL)
    return text


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Go to a folder with the data of a rehearsal in it, and back."""
    if not (folder / "data").exists():
        horses.draw(folder, SEED)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def rehearse(text: str, folder: Path, shrink: dict[str, int] | None = None) -> Evidence:
    """Run the cells of a text under the recorder; return evidence as a run of the notebook gives it.

    Without `shrink` the recorder leaves PyTorch as it is.
    """
    import matplotlib.pyplot as plt
    import torch

    from graders.probes import torch_recorder as recorder

    namespace: dict[str, Any] = {"__name__": "__main__"}
    experiments: dict[str, Experiment] = {}
    cells: list[dict[str, Any]] = []
    plt.switch_backend("agg")
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    recorder.install(namespace, shrink, experiments.__setitem__, SEED)
    with inside(folder), contextlib.redirect_stdout(io.StringIO()):
        for number, source in enumerate(cells_of(text.replace("import graders\n", "")), start=1):
            entry = {"cell": number, "status": "ok", "kind": "", "message": ""}
            try:
                exec(compile(source, f"cell {number}", "exec"), namespace)
            except Exception as error:
                entry |= {"status": "error", "kind": type(error).__name__, "message": traceback.format_exc(limit=-3)}
            cells.append(entry)
            recorder.after_cell(number)
            plt.close("all")
        recorder.finish()
    recorder.uninstall()
    return Evidence({**experiments, "cells": Experiment({"cells": cells})})
