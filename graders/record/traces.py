"""Signs that work with a language model is shown: what was handed in beside the code, and what notebooks say of it.

What a write-up holds is not read: a PDF may hold all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from graders.model import Experiment, SourceFile
from graders.record.saved import Saved, shortened

MOST_SIGNS = 200
_WRITINGS = (".pdf", ".docx", ".png", ".jpg", ".jpeg", ".heic", ".html", ".md", ".txt")
_LONGEST = 100_000  # characters of a cell
_PICTURE = re.compile(r"!\[[^\]]{0,200}\]\(|<img\b", re.IGNORECASE)
_WORDS = re.compile(
    r"\b(?:chat ?gpt|gpt-?[345]\w{0,8}|text-davinci|code-davinci|codex|copilot|openai|llms?|claude|gemini|bard|"
    r"prompts?|program trace)\b",
    re.IGNORECASE,
)


def traces(files: Sequence[SourceFile], cells: Iterable[Saved]) -> Experiment:
    """Return `writings`, the names of files that may be read, and `signs`: file, cell and kind ("picture", "words")."""
    names = [shortened(file.name, 100) for file in files if PurePosixPath(file.name.lower()).suffix in _WRITINGS]
    signs = [
        {"file": shortened(cell.file, 100), "cell": cell.number, "kind": kind}
        for cell in cells
        if not cell.is_code
        for kind, pattern in (("picture", _PICTURE), ("words", _WORDS))
        if pattern.search(cell.source[:_LONGEST])
    ]
    return Experiment({"writings": names[:MOST_SIGNS], "signs": signs[:MOST_SIGNS]})
