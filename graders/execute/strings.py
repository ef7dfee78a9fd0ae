"""Which texts an expression of a notebook's may be, as far as its constants tell. Trusted, pure, runs nothing."""

from __future__ import annotations

import ast
import itertools
import posixpath
from collections.abc import Iterable, Mapping

Known = Mapping[str, tuple[str, ...]]
_MOST = 8  # texts that one expression may be
_LONGEST = 400  # characters of a path
_DEEPEST = 20
_WRAPPERS = frozenset("Path PosixPath PurePath PurePosixPath abspath expanduser fspath normpath realpath str".split())


def texts_of(node: ast.AST | None, known: Known, depth: int = 0) -> tuple[str, ...]:
    """Return what a text or path may be: constants, names bound to them, f-strings, sums, joins, Path(a) / b."""
    if node is None or depth > _DEEPEST:
        return ()

    def of(child: ast.AST | None) -> tuple[str, ...]:
        return texts_of(child, known, depth + 1)

    match node:
        case ast.Constant(value=str(text)):
            return (text,) if len(text) <= _LONGEST else ()
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return known.get(name, ())
        case ast.JoinedStr(values=values):
            return _bounded("".join(parts) for parts in itertools.product(*map(of, values)))
        case ast.FormattedValue(value=value):
            return of(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _bounded(a + b for a, b in itertools.product(of(left), of(right)))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _bounded(posixpath.join(a, b) for a, b in itertools.product(of(left), of(right)))
        case ast.IfExp(body=body, orelse=other):
            return _bounded((*of(body), *of(other)))
        case ast.Call(func=function, args=arguments) if arguments and called(function) in {"join", *_WRAPPERS}:
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant):
                return ()  # "".join(...)
            return _bounded(posixpath.join(*parts) for parts in itertools.product(*map(of, arguments)))
        case ast.Call(func=ast.Attribute(value=value, attr="joinpath"), args=arguments):
            return _bounded(posixpath.join(*parts) for parts in itertools.product(*map(of, (value, *arguments))))
    return ()


def called(function: ast.AST) -> str:
    """Return the last name of what is called: `join` of os.path.join."""
    return getattr(function, "attr", "") or getattr(function, "id", "")


def _bounded(texts: Iterable[str]) -> tuple[str, ...]:
    first = itertools.islice(texts, _MOST)
    return tuple(dict.fromkeys(text for text in first if len(text) <= _LONGEST))


def bindings(trees: Iterable[ast.AST]) -> dict[str, tuple[str, ...]]:
    """Return which texts the names of a notebook are bound to, in all of its scopes together."""
    known: dict[str, tuple[str, ...]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            for name, value in _bound(node):
                if found := texts_of(value, known):
                    known[name] = _bounded((*known.get(name, ()), *found))
    return known


def _bound(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """Return the names that a node binds to expressions: assignments, parameters with defaults, keyword arguments."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [(called(target), value) for target in targets if isinstance(target, ast.Name | ast.Attribute)]
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.AST() as value):
            return [(name, value)]
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            return [(name, value)]
        case ast.arguments(args=args, defaults=defaults) if defaults:
            return [(arg.arg, value) for arg, value in zip(args[-len(defaults) :], defaults, strict=True)]
        case ast.keyword(arg=str(name), value=value):
            return [(name, value)]
    return []
