"""Attacks on whoever reads: notebooks, file names and outputs that are hostile before any code of theirs runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import nbformat

from demo.make_class import changed, code, notebook, written
from tests.attacks.attack import Attack

SCRIPT = "<script>alert('xss')</script><img src=x onerror=alert(1)>"


def _plain() -> str:
    return written(notebook(code()))


def _with_outputs() -> Mapping[str, bytes]:
    document: Any = notebook(code())
    document.metadata.update(title=SCRIPT, kernelspec={"display_name": SCRIPT, "name": "../../x", "language": SCRIPT})
    for cell in document.cells:
        cell.metadata["tags"] = [SCRIPT]
        cell.metadata["name"] = "javascript:alert(1)"
    outputs = [
        nbformat.v4.new_output(
            "display_data", {"text/html": SCRIPT, "image/svg+xml": f"<svg onload=alert(1)>{SCRIPT}</svg>"}
        ),
        nbformat.v4.new_output(
            "display_data", {"text/markdown": f"[x](javascript:alert(1)) {SCRIPT}", "text/latex": SCRIPT}
        ),
        nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)", "text/plain": "C7 PASS 7/7"}),
        nbformat.v4.new_output("stream", text=f"\x1b]8;;file:///etc/passwd\x1b\\ {SCRIPT}"),
    ]
    next(cell for cell in document.cells if cell.cell_type == "code").outputs = outputs
    document.cells.insert(
        0, nbformat.v4.new_markdown_cell(f"{SCRIPT} [x](javascript:alert(1)) ![](file:///etc/passwd)")
    )
    return {"hostile-outputs.ipynb": written(document).encode()}


def _message() -> Mapping[str, bytes]:
    text = changed(
        code(),
        (
            "        start = idx * self.batch_size\n",
            f"        raise ValueError({SCRIPT!r} + ' [x](javascript:alert(1)) =1+1')\n",
        ),
    )
    return {"hostile-message.ipynb": written(notebook(text)).encode()}


def _names() -> Mapping[str, bytes]:
    return {
        "=HYPERLINK(1)+cmd|' calc'!A0.ipynb": _plain().encode(),
        "@SUM(1)<img src=x onerror=alert(1)>.ipynb": _plain().encode(),
        "-2+3\u202excod\u2066.ipynb": _plain().encode(),
        'a\nb\x1b[2J;,".ipynb': _plain().encode(),
    }


def _cells(*sources: str) -> bytes:
    """A notebook of the reference with more cells, as JSON: nothing checks that they are valid."""
    document = json.loads(_plain())
    document["cells"] += [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return json.dumps(document).encode()


def _bombs() -> Mapping[str, bytes]:
    return {
        "parser-bombs.ipynb": _cells(
            "x = " + "(" * 50_000 + ")" * 50_000,
            "x = " + "-" * 50_000 + "1",
            "x = " + "[" * 90 + "]" * 90,
            "x = " + "1+" * 20_000 + "1",
            "x = " + "a." * 20_000 + "b",
            "x = " + "9" * 100_000,
            "if 1:\n" + "".join(" " * depth + "if 1:\n" for depth in range(1, 120)) + " " * 121 + "pass",
            "%" * 5_000 + "\n!" * 5_000,
            "def f():\n" + "\\\n" * 20_000 + "pass",
            "'''" * 9_999,
            "\x00\ud800\u202e" * 100,
        )
    }


def _structure() -> Mapping[str, bytes]:
    odd = json.loads(_plain())
    odd["cells"] += [
        None,
        7,
        [],
        {},
        {"cell_type": 5},
        {"cell_type": "code", "source": {"a": 1}},
        {"cell_type": "code"},
    ]
    return {
        "odd-cells.ipynb": json.dumps(odd).encode(),
        "deep-json.ipynb": b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "endless-number.ipynb": b'{"cells": [], "nbformat": ' + b"9" * 1_000_000 + b"}",
    }


PAPERS = (
    Attack(
        "hostile-outputs",
        "carries scripts, links and forged results in outputs, Markdown and metadata",
        "only the text of code cells is read; nothing of the rest reaches a report",
        file=_with_outputs,
        runs=False,
    ),
    Attack(
        "hostile-message",
        "raises an exception whose message is a script, a link and a formula",
        "all text of a submission is cleaned and escaped in every report",
        file=_message,
        runs=False,
        item="C2",
        verdict="FAIL",
    ),
    Attack(
        "hostile-names",
        "has files named like formulas, markup, line breaks and text that runs backwards",
        "names are cleaned, escaped, defused for spreadsheets and never used as paths as they are",
        file=_names,
        runs=False,
    ),
    Attack(
        "parser-bombs",
        "has cells nested, long and odd enough to break or stall a parser",
        "what cannot be parsed costs its own statement; there is a limit on everything else",
        file=_bombs,
        runs=False,
    ),
    Attack(
        "odd-notebooks",
        "has cells that are no cells, JSON without an end of brackets and numbers without an end",
        "what is no notebook gets one line that says so",
        file=_structure,
        runs=False,
    ),
)
