"""What students receive, generated from the reference so that it cannot drift: the template and the self-check kit."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from graders.engine.opening import open_classroom
from graders.engine.plan import Plan
from graders.errors import Fault
from graders.home import home, reference_path, rubric_path
from graders.judge import broken_reference
from graders.kit import PUBLIC_SEED, write_kit
from graders.model import Assignment, Evidence
from graders.rubric import judgeable

# Where the template of each assignment goes by the name that its course used; those in scripts name them themselves.
NOTEBOOKS = {
    "pixelcnn": "autoregressive_model.ipynb",
    "jem": "joint_energy_model.ipynb",
    "colourization": "a2-code.ipynb",
}
GIVEN = "given"  # the folder beside a reference whose files students receive as they are
_FILE = re.compile(r"^# %% file (\S+)\n", re.MULTILINE)
_REGION = re.compile(r"^( *)# BEGIN SOLUTION ([\w.]+)\n.*?^ *# END SOLUTION\n?", re.MULTILINE | re.DOTALL)


def write_release(assignment: Assignment, out: Path | None = None) -> list[Path]:
    """Write the template and the kit of an assignment; return their paths."""
    folder = out or home() / "student_template" / assignment.slug
    folder.mkdir(parents=True, exist_ok=True)
    written = {folder / name: text for name, text in handed_out(assignment.slug).items()}
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    kit = folder / f"{assignment.slug}.kit"
    write_kit(kit, rubric_path(assignment.slug).read_bytes(), PUBLIC_SEED, record_evidence(assignment))
    return [*written, kit]


def handed_out(slug: str) -> dict[str, str]:
    """Return what students of an assignment receive besides the kit: a notebook, or scripts, by name."""
    import nbformat

    source = reference_path(slug)
    text = source.read_text(encoding="utf-8")
    given = {path.name: path.read_text(encoding="utf-8") for path in sorted((source.parent / GIVEN).glob("*.py"))}
    scripts = {name: without_solutions(script) + "\n" for name, script in scripts_of(text).items()}
    if scripts:
        return {**scripts, **given}
    return {NOTEBOOKS[slug]: nbformat.writes(template(text)), **given}


def scripts_of(text: str) -> dict[str, str]:
    r"""Return the scripts that a reference is made of by name, none where its template is a notebook.

    >>> scripts_of("# %% [markdown]\n# Title\n\n# %% file a.py\nx = 1\n\n# %% file b.py\ny = 2\n")
    {'a.py': 'x = 1\n', 'b.py': 'y = 2\n'}
    """
    parts = _FILE.split(text)[1:]
    return {name: script.strip("\n") + "\n" for name, script in zip(parts[::2], parts[1::2], strict=True)}


def template(text: str) -> Any:
    """Return the template notebook of a reference: its cells, with solution regions removed and self-checks put in."""
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
        title = cell.metadata.pop("title", "")
        if title.startswith("check "):
            cell.source = "\n".join(f'graders.check("{item}")' for item in title.split()[1:])
        cell.source = without_solutions(cell.source)
        cell.metadata.clear()
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def without_solutions(source: str) -> str:
    r"""Replace every solution region: inside a function by an error that says what is missing, else by a comment.

    >>> print(without_solutions("def f():\n    # BEGIN SOLUTION C1\n    return 1\n    # END SOLUTION\n"))
    def f():
        # your code here
        raise NotImplementedError("C1")
    """

    def blank(match: re.Match[str]) -> str:
        indent, item = match[1], match[2]
        lines = ["# your code here", f'raise NotImplementedError("{item}")'] if indent else ["# your code here"]
        return "".join(f"{indent}{line}\n" for line in lines)

    return _REGION.sub(blank, source + "\n").rstrip("\n")


def record_evidence(assignment: Assignment) -> dict[str, Evidence]:
    """Measure the reference with the public seed; raises Fault when an item cannot be measured.

    Items that students cannot check themselves are left out: the evidence of a question is its answer.
    """
    items = tuple(item for item in judgeable(assignment) if item.self_check)
    plan = Plan(assignment, items, seed=PUBLIC_SEED)
    with tempfile.TemporaryDirectory() as folder, open_classroom(plan, Path(folder) / "kit.sqlite") as classroom:
        evidence = {item.id: classroom.reference_evidence(item) for item in plan.items}
    for item, one in evidence.items():
        if broken := broken_reference(one):
            raise Fault(f"the reference solution of {item} cannot be measured: {broken}")
    return evidence
