"""The submission's own modules: which imports mean them, and what of them is run (definitions, no more)."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from graders.model import Statement
from graders.notebook.calls import Calls, dotted
from graders.notebook.scope import Scope
from graders.notebook.statements import Parsed

_Import = ast.Import | ast.ImportFrom


class Modules:
    """The modules of a submission by the names that they are imported by. `provided` are names given from outside."""

    def __init__(self, modules: Mapping[str, tuple[Parsed, ...]], provided: Collection[str] = ()) -> None:
        self.statements = modules
        self._provided = frozenset(provided)
        self._scopes: dict[str, Scope] = {}
        self._busy: set[str] = set()

    def scope_of(self, statements: Sequence[Parsed], strict: bool = False) -> Scope:
        """Return the scope of a file's statements; its imports bind what the submission's modules define."""
        bound = [self._with_star(parsed) for parsed in statements]
        own = [i for i, parsed in enumerate(bound) if parsed.is_import and self.imported(parsed)]
        borrowed = {name: calls for i in own for name, calls in self._borrowed(bound[i].node)}
        return Scope(bound, borrowed, own, strict)

    def scope(self, module: str) -> Scope | None:
        """Return the scope of a module; None for no module, and while it is being made: they may import each other."""
        if module in self.statements and module not in self._scopes and module not in self._busy:
            self._busy.add(module)
            self._scopes[module] = self.scope_of(self.statements[module], strict=True)
            self._busy.discard(module)
        return self._scopes.get(module)

    def exports(self, module: str) -> frozenset[str]:
        """Return the names that a module of the submission has once it is run."""
        scope = self.scope(module)
        return frozenset(scope.binders if scope else ()) | self._provided

    def imported(self, parsed: Parsed) -> set[str]:
        """Return the modules of the submission that a statement imports, anywhere inside it, and their packages."""
        found = {name for node in ast.walk(parsed.node) if isinstance(node, _Import) for name in self._meant(node)}
        return {".".join(name.split(".")[: n + 1]) for name in found for n in range(name.count(".") + 1)}

    def _meant(self, node: _Import) -> Iterator[str]:
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        else:
            base = [node.module] if node.module else []
            candidates = base + [".".join([*base, alias.name]) for alias in node.names]
            if not node.level and not base:
                candidates = []
        yield from (name for name in candidates if name in self.statements)

    def source_of(self, parsed: Parsed, name: str) -> tuple[str, str] | None:
        """Return (module, name there) of what an import of a submission's module binds to `name`."""
        node = parsed.node
        if not isinstance(node, ast.ImportFrom) or (module := node.module or "") not in self.statements:
            return None
        for alias in node.names:
            if alias.name == "*" and name in self.exports(module):
                return module, name
            if (alias.asname or alias.name) == name:
                return module, alias.name
        return None

    def _with_star(self, parsed: Parsed) -> Parsed:
        """Return `from helper import *` as a statement that binds what the student's helper defines."""
        node = parsed.node
        if not isinstance(node, ast.ImportFrom) or not parsed.is_star or (node.module or "") not in self.statements:
            return parsed
        public = frozenset(name for name in self.exports(node.module or "") if not name.startswith("_"))
        return replace(parsed, binds=public)

    def _borrowed(self, node: ast.stmt) -> Iterator[tuple[str, Calls]]:
        """Yield the heavy functions that an import brings, by the names that they are called by."""
        if isinstance(node, ast.ImportFrom):
            scope = self.scope(node.module or "")
            heavy = scope.heavy_functions if scope else {}
            for alias in node.names:
                names = heavy.keys() if alias.name == "*" else heavy.keys() & {alias.name}
                yield from ((alias.asname or name, heavy[name]) for name in names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                scope = self.scope(alias.name)
                for name, calls in (scope.heavy_functions if scope else {}).items():
                    yield f"{alias.asname or alias.name}.{name}", calls

    # What is run ------------------------------------------------------------------------------------------------------

    def needed(self, modules: Iterable[str]) -> dict[str, tuple[Statement, ...]]:
        """Return what is run of modules, and of those that they import in turn; a package without a file is empty."""
        found: dict[str, tuple[Statement, ...]] = {}
        todo = sorted(modules)
        while todo:
            module = todo.pop()
            if module in found:
                continue
            scope = self.scope(module)
            kept = list(self._kept(scope)) if scope else []
            found[module] = tuple(self.mended(parsed) for parsed in kept)
            todo += sorted({name for parsed in kept for name in self.imported(parsed)})
        return dict(sorted(found.items()))

    def _kept(self, scope: Scope) -> Iterator[Parsed]:
        for i, parsed in enumerate(scope.statements):
            defines = parsed.binds - self._provided - {"__all__"} or parsed.mutates - self._provided
            wanted = defines or parsed.is_star or parsed.is_future or parsed.is_setting
            if i not in scope.lost and wanted and not _is_main_guard(parsed.node):
                yield parsed

    def mended(self, parsed: Parsed) -> Statement:
        """Return the statement, an import of the submission's modules so that it works.

        A relative import has no package here, and a name whose statement is not run cannot be imported.
        """
        node = parsed.node
        if not isinstance(node, ast.ImportFrom) or not self._own(node):
            return parsed.statement
        kept = [alias for alias in node.names if self._importable(node, alias)]
        if not node.level and len(kept) == len(node.names):
            return parsed.statement
        return replace(parsed.statement, source="; ".join(self._imports(node, kept)) or "pass")

    def _own(self, node: ast.ImportFrom) -> bool:
        return any(True for _ in self._meant(node))

    def _importable(self, node: ast.ImportFrom, alias: ast.alias) -> bool:
        if (alias.asname or alias.name) in self._provided:
            return False
        module = node.module or ""
        if module not in self.statements or alias.name == "*":
            return True
        scope = self.scope(module)
        from_elsewhere = scope is None or any(s.is_star for s in scope.statements)
        submodule = f"{module}.{alias.name}" in self.statements
        return from_elsewhere or submodule or alias.name in self.exports(module)

    def _imports(self, node: ast.ImportFrom, aliases: list[ast.alias]) -> Iterator[str]:
        """Yield the imports of `aliases` as absolute ones."""
        if node.module and aliases:
            yield ast.unparse(ast.ImportFrom(node.module, aliases, 0))
        elif not node.module:  # from . import helper
            yield from (ast.unparse(ast.Import([alias])) for alias in aliases if alias.name in self.statements)


def _is_main_guard(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    return "__name__" in {dotted(side) for side in (node.test.left, *node.test.comparators)}
