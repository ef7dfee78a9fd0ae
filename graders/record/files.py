"""The files that a script's run left behind, and those that students were handed out: experiment `files`."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import PurePosixPath

import numpy as np

from graders.intake.names import is_log, is_picture, suffix
from graders.model import Experiment, Json, SourceFile
from graders.notebook.salvage import UNREADABLE
from graders.notebook.statements import parse_module
from graders.record.pictures import PICTURE_KINDS, Gallery
from graders.record.saved import shortened

MOST_FILES = 400  # of a kind, of one submission
MOST_ROWS = 500_000
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w.])|\b(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_TESTS = re.compile(r"^Ran (\d{1,6}) tests? in [\d.]+s\s+(OK|FAILED)", re.MULTILINE)


def of_files(files: Iterable[SourceFile], printed: Iterable[tuple[str, str]], given: Mapping[str, str]) -> Experiment:
    """Return what the files of a submission tell; never raises.

    `losses`, one per loss file: file, rows, bad (rows without a finite number), line (of the first of them, or 0),
    first and last (means of the first and the last tenth), least, digest. `pictures`, one per picture of a training:
    file, kind ("sample" or "novel"), blank, problem, digest. `tests`, one per summary of unittest in a log or in
    `printed` (pairs of a place and a text): place, ran, ok. `given`, one per file that has the name of a `given` one:
    file, state ("as given", "settings" where no more than constants differ, "changed"), line (of the first
    difference, or 0).
    """
    files = sorted(files, key=lambda file: file.name)
    logs = [file for file in files if is_log(file.name) and file.text is not None][:MOST_FILES]
    places = [*((file.name, file.text or "") for file in logs), *printed]
    return Experiment(
        {
            "losses": [_losses(file) for file in logs if "loss" in _base(file).lower()],
            "pictures": list(_pictures([file for file in files if is_picture(file.name)])),
            "tests": [found for place, text in places for found in _tests(place, text)],
            "given": [_compared(file, given[_base(file)]) for file in files if _base(file) in given][:MOST_FILES],
        }
    )


def _base(file: SourceFile) -> str:
    return PurePosixPath(file.name).name


# Losses ---------------------------------------------------------------------------------------------------------------


def _losses(file: SourceFile) -> dict[str, Json]:
    """Read the last number of every line; a heading, which has none, does not count."""
    lines = [(at, line) for at, line in enumerate((file.text or "").splitlines()[:MOST_ROWS], 1) if line.strip()]
    if lines and not _NUMBER.search(lines[0][1][:200]):
        del lines[0]
    values = np.array([_last_number(line) for _, line in lines])  # (rows,)
    finite = np.isfinite(values)
    good, bad = values[finite], np.flatnonzero(~finite)
    tenth = max(1, len(good) // 10)
    return {
        "file": shortened(file.name, 100),
        "rows": len(values),
        "bad": len(bad),
        "line": lines[bad[0]][0] if len(bad) else 0,
        "first": float(good[:tenth].mean()) if len(good) else 0.0,
        "last": float(good[-tenth:].mean()) if len(good) else 0.0,
        "least": float(good.min()) if len(good) else 0.0,
        "digest": hashlib.sha256(values.tobytes()).hexdigest(),
    }


def _last_number(line: str) -> float:
    r"""Return the last number of a line, NaN where there is none or too large a one.

    >>> _last_number("epoch 3, iteration 120: 0.25"), _last_number("loss"), _last_number("1e999")
    (0.25, nan, nan)
    """
    found = _NUMBER.findall(line[-200:])
    value = float(found[-1]) if found else np.nan
    return value if abs(value) < 1e30 else np.nan


# Pictures -------------------------------------------------------------------------------------------------------------


def _pictures(files: list[SourceFile]) -> Iterator[dict[str, Json]]:
    """Look at the pictures, half of the places for each kind; one whose contents were not kept is only named."""
    gallery = Gallery()
    for kind in ("novel", "sample"):
        for file in [file for file in files if _base(file).lower().startswith(kind)][: MOST_FILES // 2]:
            seen = gallery.look(PICTURE_KINDS[suffix(file.name)], file.text)[0] if file.text else None
            yield {
                "file": shortened(file.name, 100),
                "kind": kind,
                "blank": bool(seen and seen.blank) or file.size == 0,
                "problem": seen.problem if seen else "",
                "digest": (seen.digest if seen else "") or file.sha256,
            }


# Tests ----------------------------------------------------------------------------------------------------------------


def _tests(place: str, text: str) -> Iterator[dict[str, Json]]:
    for match in _TESTS.finditer(text.replace("\r", "")[-1_000_000:]):
        yield {"place": shortened(place, 100), "ran": int(match[1]), "ok": match[2] == "OK"}


# Files that were handed out -------------------------------------------------------------------------------------------


def _compared(file: SourceFile, given: str) -> dict[str, Json]:
    mine = file.text or ""
    state, line = "as given", 0
    if _plain(mine) != _plain(given) and _tree(mine, constants=True) != _tree(given, constants=True):
        same = _tree(mine, constants=False) == _tree(given, constants=False)
        state, line = "settings" if same else "changed", _first_difference(mine, given)
    return {"file": shortened(file.name, 100), "state": state, "line": line}


def _plain(text: str) -> list[str]:
    """Return the lines of a text without what editors and systems change: ends of lines and of the file."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _tree(text: str, constants: bool) -> str:
    """Return the code of a text without comments, and without constants where told so; the text where it is no code."""
    try:
        tree = parse_module(text)
        for node in () if constants else ast.walk(tree):
            if isinstance(node, ast.Constant):
                node.value = None
        return ast.dump(tree)
    except UNREADABLE:
        return text


def _first_difference(mine: str, given: str) -> int:
    pairs = zip_longest(_plain(mine), _plain(given))
    return next((at for at, (one, other) in enumerate(pairs, start=1) if one != other), 0)
