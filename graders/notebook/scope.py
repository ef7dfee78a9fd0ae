"""Which statement binds a name that another one uses, among the statements of one file that can be run at all."""

from __future__ import annotations

import ast
import builtins
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from graders.notebook.calls import Calls, dotted
from graders.notebook.statements import Parsed

BUILTINS = frozenset(dir(builtins)) | {"__file__", "__builtins__"}


class Scope:
    """The statements of one file by the names that they bind, without those that are never run.

    `borrowed` holds the calls of functions that its imports bind, `own` the imports of the submission's own modules.
    `strict` leaves out definitions too when they need at once what is not run: a module must be importable, whereas in
    the main file the definition is what is graded.
    """

    def __init__(
        self,
        statements: Sequence[Parsed],
        borrowed: Mapping[str, Calls] | None = None,
        own: Collection[int] = (),
        strict: bool = False,
    ) -> None:
        self.statements = statements
        self._own = frozenset(own)
        self.heavy_functions = heavy_functions(statements, borrowed or {})
        self.lost = _lost(statements, self.heavy_functions, strict)
        self.binders: dict[str, list[int]] = defaultdict(list)
        self._mutations: dict[str, list[int]] = defaultdict(list)
        self.all_binders = _by_name((i, parsed.binds) for i, parsed in enumerate(statements))
        for i, parsed in enumerate(statements):
            if i not in self.lost:
                for name in parsed.binds:
                    self.binders[name].append(i)
                for name in parsed.mutates:
                    self._mutations[name].append(i)

    def now(self, at: int, name: str) -> int | None:
        """Return the statement whose binding of `name` is in force when statement `at` runs."""
        binders = self.binders.get(name, [])
        before = bisect_left(binders, at)
        if before:
            return binders[before - 1]
        if name in BUILTINS:
            return None
        if binders[:1] == [at] and self.statements[at].is_compound:
            return None  # it binds the name before it uses it
        others = [i for i in binders[-2:] if i != at]
        return others[-1] if others else None

    def later(self, at: int, name: str) -> int | None:
        """Return the statement whose binding of `name` is in force when the functions of statement `at` are called.

        A notebook that spoils a builtin in a later cell (`sum = 0`) did not mean it for the classes above.
        """
        if name in BUILTINS:
            return self.now(at, name)
        return self.last(name)

    def last(self, name: str) -> int | None:
        """Return the last statement that binds `name`."""
        binders = self.binders.get(name)
        return binders[-1] if binders else None

    def companions(self, binder: int, name: str) -> Iterator[int]:
        """Yield what belongs to a binding of `name`: its changes up to the next binding, imports of its submodules."""
        binders = self.binders[name]
        if self.statements[binder].is_import:
            yield from (i for i in binders if i != binder and _imports_submodule(self.statements[i], name))
            if binder not in self._own:
                return  # a change of a library is not the student's definition
        place = bisect_left(binders, binder)
        end = binders[place + 1] if place + 1 < len(binders) else len(self.statements)
        changes = self._mutations.get(name, [])
        yield from changes[bisect_right(changes, binder) : bisect_left(changes, end)]
        if place + 1 == len(binders):
            yield from changes[: bisect_left(changes, binders[0])]  # cells out of order


def _imports_submodule(parsed: Parsed, name: str) -> bool:
    node = parsed.node
    return isinstance(node, ast.Import) and any(
        alias.asname is None and alias.name.startswith(f"{name}.") for alias in node.names
    )


def _by_name(pairs: Iterable[tuple[int, Collection[str]]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for i, names in pairs:
        for name in names:
            found[name].append(i)
    return dict(found)


# What is never run ----------------------------------------------------------------------------------------------------


def heavy_functions(statements: Iterable[Parsed], borrowed: Mapping[str, Calls]) -> dict[str, Calls]:
    """Return the functions and classes whose call ends in a heavy call, with the reason."""
    bodies = dict(borrowed)
    for parsed in statements:
        bodies |= parsed.bodies
    callers = defaultdict(list)
    for name, calls in bodies.items():
        for called in calls.names:
            callers[called].append(name)
    heavy = {name: calls for name, calls in bodies.items() if calls.heavy}
    todo = list(heavy)
    while todo:
        called = todo.pop()
        for name in callers[called]:
            if name not in heavy:
                heavy[name] = Calls(heavy[called].heavy, bodies[name].names)
                todo.append(name)
    return heavy


def _lost(statements: Sequence[Parsed], heavy: Mapping[str, Calls], strict: bool) -> dict[int, str]:
    """Return the statements that are never run, with the reason: they are heavy, or need what such a one binds."""
    lost = {
        i: why for i, parsed in enumerate(statements) if not parsed.is_definition and (why := _reason(parsed, heavy))
    }
    lost |= _hidings(statements)
    users = _by_name((i, p.uses_now) for i, p in enumerate(statements) if strict or not p.is_definition)
    left = {name: set(all_) for name, all_ in _by_name((i, p.binds) for i, p in enumerate(statements)).items()}
    todo = list(lost)
    while todo:
        gone = todo.pop()
        for name in statements[gone].binds:
            left[name].discard(gone)
            if len(left[name]) > 1 or name in BUILTINS:
                continue
            for user in users.get(name, []):
                rest = left[name] if statements[user].is_compound else left[name] - {user}
                if user not in lost and not rest:
                    lost[user] = f"needs `{name}`"
                    todo.append(user)
    return lost


def _hidings(statements: Sequence[Parsed]) -> dict[int, str]:
    """Return statements like `Net = Net(3)`: they put an object in the place of the definition, which is graded."""
    defined: set[str] = set()
    found: dict[int, str] = {}
    for i, parsed in enumerate(statements):
        node = parsed.node
        defined |= parsed.bodies.keys()
        called = dotted(node.value.func) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else ""
        if parsed.binds == {called} and called in defined:
            found[i] = "hides the definition"
    return found


def _reason(parsed: Parsed, heavy: Mapping[str, Calls]) -> str:
    if parsed.calls.heavy:
        return parsed.calls.heavy
    return next((heavy[name].heavy for name in sorted(parsed.calls.names) if name in heavy), "")
