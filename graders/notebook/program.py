"""A submission as a program: the statements of its main file, and its other files as modules."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from graders.model import SourceFile, Submission
from graders.notebook.cells import Cell, clean, magic_work, notebook_cells, script_cells
from graders.notebook.statements import Parsed, parse_cell
from graders.notebook.versions import Key, undone, version

# Bounds for files that nobody wrote by hand.
MOST_STATEMENTS = 10_000
MOST_CODE = 3_000_000
MOST_NOTEBOOK = 100_000_000  # characters with outputs; a notebook is long by its pictures
MOST_NOTES = 20
_DEEPEST = 1_000  # folders in folders: more than any name has

# A file of such a name is not what `import name` means.
LIBRARIES = sys.stdlib_module_names | frozenset(
    {"PIL", "cv2", "graders", "keras", "matplotlib", "numpy", "pandas", "scipy", "tensorflow", "torch", "torchvision"}
)
_NOT_THEIRS = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True, eq=False)
class Program:
    """The statements of the main file in document order, and of the submission's modules by each name they go by.

    `notes` are lines for the report on what could not be read or was left out; `file` is the name of the main file.
    """

    main: tuple[Parsed, ...] = ()
    modules: Mapping[str, tuple[Parsed, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    file: str = ""


@dataclass(frozen=True)
class _File:
    name: str
    statements: tuple[Parsed, ...] = ()
    written: Mapping[str, tuple[Parsed, ...]] = field(default_factory=dict)  # by its %%writefile cells
    notes: tuple[str, ...] = ()

    @property
    def is_notebook(self) -> bool:
        return _suffix(self.name) == ".ipynb"

    @property
    def definitions(self) -> set[str]:
        return {name for statement in self.statements for name in statement.bodies}


def normalised_name(name: str) -> str:
    """Return the name as it is compared.

    >>> normalised_name("Gated_ResNet")
    'gatedresnet'
    """
    return name.replace("_", "").lower()


def read_program(submission: Submission, wanted: Collection[str] = (), asked: Collection[str] = ()) -> Program:
    """Read the code of a submission; whatever is wrong with it becomes a note.

    The main file is the notebook, else the script, that defines most of the `wanted` names and not only as the skeleton
    does; among those that define as many it is the latest version by its name, else the one with most classes and
    functions, else the last in name order. A file with a name that the handout `asked` for goes before all others, the
    one in the fewest folders first. All other files are modules, other notebooks too.
    """
    code, too_much = code_files(submission.files)
    files = [_read(file) for file in code]
    if not files:
        return Program(notes=(*too_much, "there is no code in it: hand in an .ipynb or .py file"))
    names = {normalised_name(name) for name in wanted}
    main = max(files, key=lambda file: _rank(file, names, asked))
    others = _nearest_first([_apart(file) for file in files if file is not main], main)
    modules, notes = _modules(main, others)
    left_out = [f"{file.name}: is a second notebook; {main.name} is graded" for file in others if file.is_notebook]
    left_out += [f"{file.name}: is a second {_last(file)}; {main.name} is graded" for file in _same_name(others, main)]
    everything = [*too_much, *main.notes, *(note for file in others for note in file.notes), *notes, *left_out]
    return Program(main.statements, modules, tuple(everything), main.name)


def _last(file: _File) -> str:
    return PurePosixPath(file.name).name


def _same_name(others: Iterable[_File], main: _File) -> list[_File]:
    """Return the scripts in other folders that have the main script's name."""
    return [file for file in others if not file.is_notebook and _last(file) == _last(main)]


def with_given(program: Program, given: Mapping[str, str]) -> Program:
    """Return a program with those files, text by name, that were handed out and that it imports but does not hold."""
    lacking = {name: PurePosixPath(name).stem for name in given if PurePosixPath(name).stem not in program.modules}
    everything = [*program.main, *(one for statements in program.modules.values() for one in statements)]
    wanted = {name for one in everything for name in _imported(one.node)} if lacking else set()
    texts = {module: given[name] for name, module in lacking.items() if module in wanted}
    modules = {
        module: _read(SourceFile(f"{module}.py", "", len(text), text)).statements for module, text in texts.items()
    }
    return replace(program, modules={**program.modules, **modules})


def _imported(node: ast.stmt) -> set[str]:
    """Return the names of the modules that a statement imports."""
    found = {alias.name for one in ast.walk(node) if isinstance(one, ast.Import) for alias in one.names}
    return found | {one.module for one in ast.walk(node) if isinstance(one, ast.ImportFrom) and one.module}


def _rank(
    file: _File, wanted: set[str], asked: Collection[str]
) -> tuple[bool, bool, int, bool, bool, int, int, Key | None, int, Key, str]:
    found = {normalised_name(name) for name in _bound(file.statements)} & wanted
    done = {normalised_name(name) for name in _done(file.statements)} & wanted
    # A notebook that defines or imports a few of the items is the main file, however many its helpers define.
    named = -len(PurePosixPath(file.name).parts) if _last(file) in asked else -_DEEPEST
    kind = (bool(done), bool(found), named if done else -_DEEPEST, bool(file.statements), file.is_notebook)
    latest = version(file.name)
    return *kind, len(done), len(found), latest if found else None, len(file.definitions), latest, file.name


def _bound(statements: Iterable[Parsed]) -> set[str]:
    return {name for statement in statements for name in statement.binds}


def _done(statements: Iterable[Parsed]) -> set[str]:
    """Return the names that are bound to more than a skeleton: by the last statement that binds them."""
    done: set[str] = set()
    for statement in statements:
        done |= statement.binds
        done -= undone(statement)
    return done


# Files ----------------------------------------------------------------------------------------------------------------


def code_files(files: Iterable[SourceFile]) -> tuple[list[SourceFile], list[str]]:
    """Return the notebooks and scripts that are the student's own, in name order, and notes on those beyond a size."""
    left = {".py": MOST_CODE, ".ipynb": MOST_NOTEBOOK}
    kept: list[SourceFile] = []
    notes: list[str] = []
    for file in sorted(files, key=lambda file: file.name):
        path = PurePosixPath(file.name)
        hidden = any(part in _NOT_THEIRS or part.startswith(".") for part in path.parts)
        suffix = _suffix(file.name)
        if file.text is None or hidden or suffix not in left:
            continue
        left[suffix] -= len(file.text)
        if left[suffix] >= 0:
            kept.append(file)
        else:
            notes.append(f"{clean(file.name)}: was not read, there is too much code before it")
    return kept, notes


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _apart(file: _File) -> _File:
    """Return a notebook with its name in all places and notes, so that they are not taken for the main one's."""
    if not file.is_notebook:
        return file
    moved = [
        replace(parsed, statement=replace(parsed.statement, place=f"{file.name}, {parsed.statement.place}"))
        for parsed in file.statements
    ]
    notes = [note if note.startswith(file.name) else f"{file.name}, {note}" for note in file.notes]
    return replace(file, statements=tuple(moved), notes=tuple(notes))


def _read(file: SourceFile) -> _File:
    file = replace(file, name=clean(file.name))
    cells, notes = notebook_cells(file) if _suffix(file.name) == ".ipynb" else script_cells(file)
    own = [cell for cell in cells if not cell.module]
    statements, problems = _statements(own)
    written: dict[str, tuple[Parsed, ...]] = {}
    for cell in (cell for cell in cells if cell.module):
        found, more = _statements([cell])
        written[cell.module] = (*(written.get(cell.module, ()) if cell.append else ()), *found)
        problems += more
    notes += problems
    if len(notes) > MOST_NOTES:
        notes = [*notes[:MOST_NOTES], f"{file.name}: {len(notes) - MOST_NOTES} more such lines"]
    return _File(file.name, statements, written, tuple(notes))


def _statements(cells: Iterable[Cell]) -> tuple[tuple[Parsed, ...], list[str]]:
    statements: list[Parsed] = []
    notes: list[str] = []
    left = MOST_CODE
    for cell in cells:
        found, problems = parse_cell(cell)
        statements += found
        notes += problems
        # Magics and errors make a cell dear to read; no real notebook comes near this.
        left -= magic_work(cell.text) + 10_000 * bool(problems)
        if len(statements) > MOST_STATEMENTS or left < 0:
            notes.append(f"{cell.place}: there is too much code; what follows was not read")
            break
    return tuple(statements[:MOST_STATEMENTS]), notes


# Modules --------------------------------------------------------------------------------------------------------------


def _nearest_first(files: list[_File], main: _File) -> list[_File]:
    """Order files so that the one that `import name` means comes first: beside the main file, below it, elsewhere."""
    folder = PurePosixPath(main.name).parent

    def distance(file: _File) -> tuple[bool, bool, bool, str]:
        path = PurePosixPath(file.name)
        return file.is_notebook, path.parent != folder, folder not in path.parents, file.name

    return sorted(files, key=distance)


def _modules(main: _File, others: list[_File]) -> tuple[dict[str, tuple[Parsed, ...]], list[str]]:
    """Return the modules by all names that they may be imported by, and notes on those that are none."""
    modules: dict[str, tuple[Parsed, ...]] = {}
    notes: list[str] = []
    written = [*main.written.items(), *(item for file in others for item in file.written.items())]
    for name, statements in [*written, *((file.name, file.statements) for file in others)]:
        if PurePosixPath(name).stem in LIBRARIES:
            notes.append(f"{name}: has the name of a library and is not used as a module; rename it")
            continue
        for module in _module_names(name):
            modules.setdefault(module, statements)
    return modules, notes


def _module_names(file: str) -> list[str]:
    """Return the names that a file may be imported by, whichever folder is the first on the path.

    >>> _module_names("work/pkg/my-layers.py")
    ['my_layers', 'pkg.my_layers', 'work.pkg.my_layers']
    """
    parts = [re.sub(r"\W", "_", part) for part in PurePosixPath(file).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    names = [parts[start:] for start in reversed(range(len(parts)))]
    return [".".join(name) for name in names if name[0] not in LIBRARIES and all(map(str.isidentifier, name))]
