"""The form of an attack, and how it becomes a submission: code that runs inside a method of the reference's notebook.

In `code` words between @ stand for what only the run knows: @SECRET@ a file that nobody may read, @OUTSIDE@ a folder
that nobody may write into, @SIBLING@ the id of a process, @TCP@, @UDP@ ports, @UNIX@, @ABSTRACT@ sockets that listen.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from demo.make_class import changed, code, notebook, written
from graders.audit import apply_edit
from graders.model import Mutant

RAN = "the attack {name} runs"  # what every attack prints first: one that never ran was not stopped by anything

# Where the attack is called from: the class of an item and its method.
_CALLERS = {
    "C1": ("CalligraphyDataset", "__init__"),
    "C2": ("CalligraphyDataset", "__getitem__"),
    "C3": ("DownRightMovedConv2d", "call"),
    "C5": ("TensorDense", "call"),
    "C6": ("GatedResnet", "call"),
    "C7": ("AutoregressiveModel", "call"),
}
_CELL = """# %%
import functools


@functools.cache
def attack():
    print({ran!r}, flush=True)
{code}


"""
_BEFORE = "# %% [markdown]\n# ## Dataset and data generator (Section 4.1)\n"


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    `item` is the item whose method calls the code, at its first call or, with `loading`, while the slice is loaded.
    `stops` says what becomes of it. `edits` are mutants, and `replaces` definitions, that make the code wrong: the
    attack may earn what that earns without it; `deserves` says for an item what it may earn where that is something
    else. `flagged` are texts of lines that the instructor must be pointed to. `file` builds a submission that is no
    plain notebook: the names in the class folder and their bytes.
    """

    name: str
    tries: str
    stops: str
    code: str = ""
    item: str = "C2"
    loading: bool = False
    edits: tuple[str, ...] = ()
    replaces: Mapping[str, str] = field(default_factory=dict)  # definitions of the reference by name
    deserves: Mapping[str, float] = field(default_factory=dict)
    verdict: str = ""  # that the item must have, where it matters
    flagged: tuple[str, ...] = ()
    file: Callable[[], Mapping[str, bytes]] | None = None
    confines: bool = False  # tried at every level of isolation
    runs: bool = True  # False: it has no code, or none that is ever run


def text_of(attack: Attack, fill: Mapping[str, str]) -> str:
    """Return the text of an attack's notebook in percent format."""
    body = textwrap.dedent(attack.code).strip("\n")
    for word, value in fill.items():
        body = body.replace(f"@{word}@", value)
    text = _called(honest(attack), *_CALLERS[attack.item], attack.loading) if body else honest(attack)
    cell = _CELL.format(ran=RAN.format(name=attack.name), code=textwrap.indent(body, "    "))
    return changed(text, (_BEFORE, cell + _BEFORE)) if body else text


def _called(text: str, name: str, method: str, loading: bool) -> str:
    """Return the text with a call of the attack at the top of a class, which is run while loading, or of its method."""
    method_of = "" if loading else rf"(?:.*\n)*?    def {method}\(.*\):\n"
    found = re.search(rf"^class {name}\b.*:\n{method_of}", text, re.MULTILINE)
    assert found, f"no {method} in {name}"
    return text[: found.end()] + ("    " if loading else "        ") + "attack()\n" + text[found.end() :]


def honest(attack: Attack) -> str:
    """Return the text of the same code without the attack: it earns what the attack may earn."""
    return apply_edit(code(*attack.edits), Mutant("attack", "", "", (), (), attack.replaces))


def files_of(attack: Attack, fill: Mapping[str, str]) -> Mapping[str, bytes]:
    """Return what is put into the class folder."""
    if attack.file is not None:
        return attack.file()
    document: Any = notebook(text_of(attack, fill))
    return {f"{attack.name}.ipynb": written(document).encode()}
