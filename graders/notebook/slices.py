"""Program to slice: the statements that an item needs, in an order in which they run, and no others."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graders.model import Slice, Statement
from graders.notebook.cells import Cell
from graders.notebook.modules import Modules
from graders.notebook.names import Find, find_items, parameters
from graders.notebook.order import ordered
from graders.notebook.program import Program
from graders.notebook.salvage import UNREADABLE
from graders.notebook.scope import BUILTINS, Scope
from graders.notebook.statements import Parsed, parse_cell, parse_module


def cut_slice(
    program: Program,
    item_names: Mapping[str, Sequence[str]],
    target: str | Collection[str],
    given: Collection[str] = (),
    provided: Collection[str] = (),
) -> Slice:
    """Return what of a program one item needs, or several.

    Args:
        program: The program of a submission.
        item_names: The names that each item may go by.
        target: The item, or the items, to cut the slice for. When none is found the slice has no statements.
        given: Functions that the skeleton hands out; a needed one that the program lacks is in `Slice.undefined`.
        provided: Items whose definitions come from outside, under the student's name for them (`Slice.found`) or under
            all their names when the student has none: they are to be put into the namespace, and into that of each
            module, before the slice runs.
    """
    targets = [target] if isinstance(target, str) else sorted(target)
    bare = Modules(program.modules)
    main = bare.scope_of(program.main)
    finds = find_items(main, bare, item_names, given)
    outside = {name for item in provided for name in _provided(item, finds, item_names)}
    modules = Modules(program.modules, outside)
    scope = modules.scope_of([*program.main, *_added_imports(finds, outside)])
    cut = _Cut(scope, modules, outside)
    roots = {finds[item].name for item in targets if item in finds}
    if roots:
        cut.take_names(roots)
        cut.take_always()
    return Slice(
        statements=tuple(modules.mended(scope.statements[i]) for i in ordered(scope, cut.taken)),
        modules=modules.needed({name for i in cut.taken for name in modules.imported(scope.statements[i])}),
        found={item: find.name for item, find in finds.items()},
        parameters=_parameters(finds, bare, main),
        notes=tuple(_find_notes(finds, targets, cut) + cut.notes()),
        undefined=tuple(sorted(cut.undefined)),
    )


def _provided(item: str, finds: Mapping[str, Find], item_names: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return [finds[item].name] if item in finds else item_names[item]


def _added_imports(finds: Mapping[str, Find], outside: Collection[str]) -> list[Parsed]:
    """Return imports of the items that only a module defines which the main file does not import."""
    wanted = sorted({(find.module, find.name) for find in finds.values() if find.module and find.name not in outside})
    return [
        parsed
        for module, name in wanted
        for parsed in parse_cell(Cell(f"import of {module}", f"from {module} import {name}"))[0]
    ]


def _parameters(finds: Mapping[str, Find], modules: Modules, main: Scope) -> dict[str, tuple[str, ...]]:
    found = {}
    for find in finds.values():
        names = parameters(find.name, (modules.scope(find.module) if find.module else None) or main, modules)
        if names is not None:
            found[find.name] = names
    return found


def _find_notes(finds: Mapping[str, Find], targets: Collection[str], cut: _Cut) -> list[str]:
    notes = []
    for item, find in finds.items():
        if item not in targets and find.name not in cut.bound:
            continue
        if find.close:
            notes.append(f"taken as {item}: {find.name}")
        if find.module and item in targets and not find.value:
            notes.append(f"{find.name}: is in {find.module}, which is not imported; it is taken from there")
    return notes


@dataclass
class _Cut:
    """The statements taken so far, each with all that it needs."""

    scope: Scope
    modules: Modules
    outside: Collection[str]
    taken: set[int] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)  # names resolved to a statement
    undefined: set[str] = field(default_factory=set)
    _todo: list[int] = field(default_factory=list)
    _bindings: set[tuple[str, int]] = field(default_factory=set)

    def take_names(self, names: Iterable[str]) -> None:
        """Take the last binding of each name, and what it needs."""
        for name in sorted(names):
            self._resolved(name, self.scope.last(name))
        self._finish()

    def take_always(self) -> None:
        """Take what counts whether it is named or not: star imports, `__future__`, settings of the whole process."""
        runnable = [(i, p) for i, p in enumerate(self.scope.statements) if i not in self.scope.lost]
        stars = any(parsed.is_star for _, parsed in runnable)
        for i, parsed in runnable:
            # A setting that needs what is nowhere must not break a slice that can do without it.
            runs = stars or all(name in BUILTINS or name in self.scope.binders for name in parsed.uses_now)
            if parsed.is_star or parsed.is_future or (parsed.is_setting and runs):
                self._take(i)
        self._finish()

    def _take(self, at: int) -> None:
        if at not in self.taken:
            self.taken.add(at)
            self._todo.append(at)

    def _finish(self) -> None:
        while self._todo:
            at = self._todo.pop()
            parsed = self.scope.statements[at]
            for name in sorted(parsed.uses_now):
                self._resolved(name, self.scope.now(at, name))
            for name in sorted(parsed.uses_later):
                self._resolved(name, self.scope.later(at, name))

    def _resolved(self, name: str, binder: int | None) -> None:
        if name in self.outside:
            return
        if binder is None:
            if name not in self.scope.binders and name not in BUILTINS:
                self.undefined.add(name)
            return
        if (name, binder) in self._bindings:
            return
        self._bindings.add((name, binder))
        self.bound.add(name)
        self._take(binder)
        for companion in self.scope.companions(binder, name):
            self._take(companion)

    def notes(self) -> list[str]:
        """Return a line for each needed name that is defined more than once, or only by what is never run."""
        twice = [note for name in sorted(self.bound) if (note := self._twice(name))]
        return twice + [note for name in sorted(self.undefined) if (note := self._lost(name))]

    def _twice(self, name: str) -> str:
        statements = [self.scope.statements[i] for i in self.scope.binders.get(name, [])]
        places = [p.statement.place for p in statements if p.is_definition and name not in p.uses_now]
        if len(places) < 2 or not statements[-1].is_definition:
            return ""
        times = "twice" if len(places) == 2 else f"{len(places)} times"
        where = " and ".join(f"in {place}" if i == 0 else place for i, place in enumerate(dict.fromkeys(places)))
        return f"{name} is defined {times}, {where}: the last one counts"

    def _lost(self, name: str) -> str:
        binders = self.scope.all_binders.get(name, [])
        if not binders:
            return ""
        statement = self.scope.statements[binders[-1]].statement
        return f"{statement.place}: `{_short(statement.source)}` {self.scope.lost[binders[-1]]} and is not run"


def _short(source: str) -> str:
    first = source.split("\n")[0]
    return first if len(first) <= 60 and first == source else f"{first[:57]}..."


def normalised(cut: Slice) -> str:
    """Return a text that is equal for slices with equal code, whatever their comments, white space and places."""
    modules = [f"# {name}\n{_dump(statements)}" for name, statements in sorted(cut.modules.items())]
    return "\n".join([_dump(cut.statements), *modules])


def _dump(statements: Iterable[Statement]) -> str:
    return "\n".join(_dumped(statement.source) for statement in statements)


def _dumped(source: str) -> str:
    try:
        return ast.dump(parse_module(source))
    except UNREADABLE:  # nested too deeply to be dumped
        return source
