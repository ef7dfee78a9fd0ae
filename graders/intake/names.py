"""Names that students, their tools and the LMS gave to files: made safe, made showable, told apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

ARCHIVE = ".zip"
NOTEBOOK = ".ipynb"
SCRIPT = ".py"
CODE = (NOTEBOOK, SCRIPT)
ENTRIES = (ARCHIVE, *CODE)
# Archives of other kinds are hand-ins that cannot be read: they are told of, not passed over like a stray spreadsheet.
FOREIGN = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
# What a training leaves behind, by the names that the handouts give it: its text, and its pictures in base64, are kept.
_LOGS = (".txt", ".log", ".csv")
_PICTURES = re.compile(r"(sample|novel)[^/]*\.(png|jpe?g)", re.IGNORECASE)
ID_LIMIT = 80
SHOWN_LIMIT = 200

_JUNK = {"__macosx", "__pycache__", "node_modules", "site-packages"}
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format, surrogates, separators of lines and paragraphs
# Letters that Unicode does not take apart into a plain letter and its mark.
_PAIRS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th"}
_PLAIN = str.maketrans({**_PAIRS, **{a.upper(): b.capitalize() for a, b in _PAIRS.items() if a != "ß"}, "\u0131": "i"})


def suffix(name: str) -> str:
    """Return the ending of a file's name in lower case: ".ipynb" of "Lab.IPYNB"."""
    return PurePosixPath(name).suffix.lower()


def is_log(name: str) -> bool:
    """Whether a file may hold what a training or a test printed."""
    return suffix(name) in _LOGS


def is_picture(name: str) -> bool:
    """Whether a file goes by the name of a picture that a training makes.

    >>> is_picture("samples/sample-000100.png"), is_picture("data/pikachu.png")
    (True, False)
    """
    return _PICTURES.fullmatch(PurePosixPath(name).name) is not None


def is_junk(name: str) -> bool:
    """Whether a part of a path is hidden (as .ipynb_checkpoints is) or what tools leave behind."""
    return name.startswith(".") or name.casefold() in _JUNK


def rank(name: str) -> tuple[int, int, str]:
    """Sort key of the files of one submission: code before archives before the rest, shallow before deep, then by name.

    What a limit cuts off is then a data set, not the notebook beside it.
    """
    kind = 0 if suffix(name) in CODE else 1 if suffix(name) == ARCHIVE else 2
    return (kind, name.count("/"), name)


def clean(name: str) -> str:
    r"""Return a name that can be written anywhere: no control characters, no lone surrogates.

    >>> clean("a\nb.py")
    'a�b.py'
    """
    return "".join("\ufffd" if unicodedata.category(letter) in _HIDDEN else letter for letter in name)


def shown(name: str) -> str:
    """Return a name fit for one line of a report: clean and not endless."""
    whole = clean(name)
    return whole if len(whole) <= SHOWN_LIMIT else f"{whole[: SHOWN_LIMIT // 2]}\u2026{whole[1 - SHOWN_LIMIT // 2 :]}"


def safe_id(name: str) -> str:
    """Return a name that is safe as a folder, in a URL and on a command line.

    Letters lose their marks; where letters are lost for good a digest of the whole name stands for them, so that the
    id of a student does not depend on who else is in the class.

    >>> safe_id("José Muñoz (late)")
    'Jose-Munoz-late'
    >>> safe_id("陳大文") != safe_id("陳小文")
    True
    """
    letters = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    lost = any(not letter.isascii() and letter.isalnum() for letter in plain)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")
    slug = re.sub(r"-{2,}", "-", slug)[:ID_LIMIT].strip("-.")
    if slug and not lost:
        return slug
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug[: ID_LIMIT - 9] or 'submission'}-{digest}"


def unique_ids(names: Iterable[str]) -> list[str]:
    """Return an id for each name; equal ones get -2, -3. Upper and lower case count as equal: some disks think so."""
    taken: set[str] = set()
    ids = []
    for name in names:
        base = chosen = safe_id(name)
        number = 1
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{base[: ID_LIMIT - len(f'-{number}')]}-{number}"
        taken.add(chosen.casefold())
        ids.append(chosen)
    return ids
