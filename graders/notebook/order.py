"""The order in which the statements of a slice run: that of the document, unless one comes before what it needs."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable

from graders.notebook.scope import Scope


def ordered(scope: Scope, taken: Collection[int]) -> list[int]:
    """Return the statements `taken` in document order, except that one comes after what it needs at once.

    That is what it names, and what the functions that it calls name. Binders of one name keep their order, and stay
    behind the statements that use an earlier one. Cycles fall back to document order.
    """
    return _Ordering(scope, taken).run()


class _Ordering:
    def __init__(self, scope: Scope, taken: Collection[int]) -> None:
        self._scope = scope
        self._taken = set(taken)
        self._done: list[int] = []
        self._emitted: set[int] = set()
        self._ready: set[int] = set()
        self._previous: dict[int, list[int]] = {i: [] for i in taken}
        self._users: dict[int, list[int]] = defaultdict(list)
        self._link()

    def _link(self) -> None:
        last: dict[str, int] = {}
        for i in sorted(self._taken):
            parsed = self._scope.statements[i]
            for name in sorted(parsed.binds):
                if name in last:
                    self._previous[i].append(last[name])
                last[name] = i
            for needed in self._now(i):
                self._users[needed].append(i)

    def _now(self, at: int) -> list[int]:
        """Return the taken statements that `at` needs at once."""
        names = sorted(self._scope.statements[at].uses_now)
        return self._kept(self._scope.now(at, name) for name in names)

    def _later(self, at: int) -> list[int]:
        names = sorted(self._scope.statements[at].uses_later)
        return self._kept(self._scope.later(at, name) for name in names)

    def _called(self, at: int) -> list[int]:
        """Return the taken statements whose functions may run when `at` runs: of a definition, those that it calls."""
        parsed = self._scope.statements[at]
        if not parsed.is_definition:
            return self._now(at)
        names = sorted({name.split(".")[0] for name in parsed.calls.names})
        return self._kept(self._scope.now(at, name) for name in names)

    def _kept(self, found: Iterable[int | None]) -> list[int]:
        return [i for i in found if i is not None and i in self._taken]

    def _earlier(self, at: int) -> list[int]:
        """Return what the binding of a name at `at` must not overtake: earlier bindings, and those that use them."""
        previous = self._previous[at]
        return [*previous, *(user for i in previous for user in self._users[i][: bisect_left(self._users[i], at)])]

    def run(self) -> list[int]:
        """Emit all statements; the stack holds what is to be done, so that a long chain is no deep recursion."""
        for start in sorted(self._taken, key=self._rank):
            stack = [("emit", start)]
            while stack:
                step, i = stack.pop()
                if step == "out":
                    self._done.append(i)
                elif step == "emit" and i not in self._emitted:
                    self._emitted.add(i)
                    stack.append(("out", i))
                    stack += [("ready", j) for j in self._called(i)[::-1]]
                    stack += [("emit", j) for j in [*sorted(self._earlier(i)), *sorted(self._now(i))][::-1]]
                elif step == "ready" and i not in self._ready:
                    self._ready.add(i)
                    later = self._later(i)
                    stack += [("ready", j) for j in later[::-1]] + [("emit", j) for j in sorted(later)[::-1]]
        return self._done

    def _rank(self, at: int) -> tuple[bool, bool, int]:
        parsed = self._scope.statements[at]
        return not parsed.is_future, not parsed.is_star, at
