"""Which name the student gave to an item: the handout's, the same in other letters, or one that is close to it."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from graders.notebook.calls import dotted
from graders.notebook.modules import Modules
from graders.notebook.program import normalised_name
from graders.notebook.scope import Scope
from graders.notebook.statements import Parsed, definition

CLOSE = 0.85
# A program with more names than this is no student's; comparing each with each item would take minutes.
MOST_NAMES = 1_000


@dataclass(frozen=True)
class Find:
    """An item's name in the program; `module` is set when only a module that the main file does not import has it.

    `value` is set for a variable there: an answer may well stand in a file of its own.
    """

    name: str
    module: str = ""
    close: bool = False
    value: bool = False


Items = Mapping[str, Sequence[str]]


def find_items(scope: Scope, modules: Modules, items: Items, given: Collection[str] = ()) -> dict[str, Find]:
    """Return the items that the program defines: by the exact name, then the normalised one, then a close one.

    Definitions go before variables, whatever the spelling: `gated_resnet = Block(3)` is not the class GatedResnet.
    """
    definitions, variables = _main_names(scope, modules)
    elsewhere = [Find(name, module) for module, names in _unimported(modules, definitions=True) for name in names]
    values = [
        Find(name, module, value=True) for module, names in _unimported(modules, definitions=False) for name in names
    ]
    main = [Find(name) for name in definitions]
    found = _exact(items, [*main, *map(Find, variables), *map(Find, sorted(scope.all_binders))])
    found = _exact(items, [*elsewhere, *values]) | found
    for pool in ([*main, *elsewhere], [Find(name) for name in variables]):
        found = _normalised(items, pool) | found
        found |= _close({item: names for item, names in items.items() if item not in found}, pool, items, given)
    return {item: found[item] for item in items if item in found}


def match_names(items: Items, names: Iterable[str], given: Collection[str] = ()) -> dict[str, str]:
    """Return which of these names each item goes by, told as in a program that defines them all.

    >>> match_names({"C5": ["TensorDense"]}, ["np", "tensor_dense"])
    {'C5': 'tensor_dense'}
    """
    pool = [Find(name) for name in names]
    found = _normalised(items, pool) | _exact(items, pool)
    found |= _close({item: words for item, words in items.items() if item not in found}, pool, items, given)
    return {item: find.name for item, find in found.items()}


def _main_names(scope: Scope, modules: Modules) -> tuple[list[str], list[str]]:
    """Return the names of classes and functions, the submission's modules' too, and the other names bound."""
    defined: dict[str, None] = {}
    others: dict[str, None] = {}
    for parsed in scope.statements:
        own = parsed.is_import and bool(modules.imported(parsed))
        for name in sorted(parsed.binds):
            if name in parsed.bodies or own:
                defined[name] = None
            elif not parsed.is_import:
                others[name] = None
    return list(defined)[:MOST_NAMES], list(others)[:MOST_NAMES]


def _unimported(modules: Modules, definitions: bool) -> list[tuple[str, list[str]]]:
    """Return the names of the classes and functions that each module defines, or of its variables, every file once."""
    seen: set[int] = set()
    found: list[tuple[str, list[str]]] = []
    for module, statements in modules.statements.items():
        if id(statements) not in seen:
            seen.add(id(statements))
            names = sorted({name for parsed in statements for name in _defined(parsed, definitions)})
            found.append((module, names[:MOST_NAMES]))
    return found


def _defined(parsed: Parsed, definitions: bool) -> Collection[str]:
    return parsed.bodies if definitions else () if parsed.is_import else parsed.binds - parsed.bodies.keys()


def _exact(items: Items, pool: Iterable[Find]) -> dict[str, Find]:
    known: dict[str, Find] = {}
    for find in pool:
        known.setdefault(find.name, find)
    return {item: known[name] for item, names in items.items() for name in names[::-1] if name in known}


def _normalised(items: Items, pool: Iterable[Find]) -> dict[str, Find]:
    known: dict[str, Find] = {}
    for find in pool:
        known.setdefault(normalised_name(find.name), find)
    spelled = {item: [normalised_name(name) for name in names] for item, names in items.items()}
    return {item: known[name] for item, names in spelled.items() for name in names[::-1] if name in known}


def _close(missing: Items, pool: Iterable[Find], items: Items, given: Collection[str]) -> dict[str, Find]:
    """Pair the missing items with close names, the closest first; a name goes to one item or to those sharing it."""
    if not missing:
        return {}
    reserved = {normalised_name(name) for name in given}
    reserved |= {normalised_name(name) for names in items.values() for name in names}
    pairs = [
        (-ratio, order, place, item, find)
        for place, find in enumerate(pool)
        if normalised_name(find.name) not in reserved and len(find.name) < 100
        for order, (item, names) in enumerate(missing.items())
        if (ratio := max((_ratio(find.name, name) for name in names), default=0.0)) >= CLOSE
    ]
    found: dict[str, Find] = {}
    for _, _, _, item, find in sorted(pairs, key=lambda pair: pair[:3]):
        sharing = [other for other, taken in found.items() if taken.name == find.name]
        if item not in found and all(set(items[item]) & set(items[other]) for other in sharing):
            found[item] = Find(find.name, find.module, close=True)
    return found


def _ratio(one: str, other: str) -> float:
    one, other = normalised_name(one), normalised_name(other)
    if 2 * min(len(one), len(other)) < CLOSE * (len(one) + len(other)):
        return 0.0  # told without the work of comparing
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


# Parameters -----------------------------------------------------------------------------------------------------------


_Lookup = tuple[str, Scope, int]


def parameters(name: str, scope: Scope, modules: Modules) -> tuple[str, ...] | None:
    """Return the parameters of a function, or of a class's constructor; None when the program does not show them."""
    todo: list[_Lookup] = [(name, scope, len(scope.statements))]
    seen: set[tuple[str, int, int]] = set()
    while todo:
        lookup = todo.pop()
        key = (lookup[0], id(lookup[1]), lookup[2])
        if key in seen:
            continue
        seen.add(key)
        answer = _look(*lookup, modules)
        if isinstance(answer, tuple):
            return answer
        todo += answer
    return None


def _look(name: str, scope: Scope, end: int, modules: Modules) -> tuple[str, ...] | list[_Lookup]:
    """Return the parameters of the last `name` before statement `end`, or where to look for them."""
    binders = scope.all_binders.get(name, [])
    place = bisect_left(binders, end)
    if not place:
        return []
    at = binders[place - 1]
    parsed = scope.statements[at]
    node = definition(parsed, name)
    if isinstance(node, ast.ClassDef):
        own = _constructor(node)
        return own if own is not None else _bases(node, scope, at)
    if node is not None:
        return _listed(node.args)
    if isinstance(parsed.node, ast.Assign) and isinstance(parsed.node.value, ast.Name):
        return [(parsed.node.value.id, scope, at)]
    source = modules.source_of(parsed, name)
    elsewhere = modules.scope(source[0]) if source else None
    return [(source[1], elsewhere, len(elsewhere.statements))] if source and elsewhere else []


def _constructor(node: ast.ClassDef) -> tuple[str, ...] | None:
    functions = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    return _listed(functions[-1].args)[1:] if functions else None


def _bases(node: ast.ClassDef, scope: Scope, at: int) -> list[_Lookup]:
    names = [dotted(base) for base in reversed(node.bases)]
    return [(base, scope, at if base == node.name else len(scope.statements)) for base in names]


def _listed(args: ast.arguments) -> tuple[str, ...]:
    names = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    names += [f"*{args.vararg.arg}"] if args.vararg else []
    names += [arg.arg for arg in args.kwonlyargs]
    names += [f"**{args.kwarg.arg}"] if args.kwarg else []
    return tuple(names)
