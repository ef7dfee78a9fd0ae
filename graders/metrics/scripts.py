"""A handed-in script as the metric tier runs it: its constants set, where it looks for data, how it builds a class."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from graders.execute.strings import called
from graders.model import Json

_ARCHIVE = re.compile(r"""["']([^"'\n]{1,200}\.npz)["']""")
_ABOUT_DATA = re.compile(r"data|root|images", re.IGNORECASE)
_MOST = 20
Cells = Sequence[tuple[str, str]]  # (place, source)


def with_settings(cells: Cells, settings: Mapping[str, Json]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return cells with the constants of their top level set, lines where they were, and the names that are not there.

    >>> with_settings([("a.py", "epochs = 60  # at most 100")], {"epochs": 1, "conditional": True})
    ([('a.py', 'epochs = 1  # at most 100')], ['conditional'])
    """
    done, found = [], set[str]()
    for place, source in cells:
        text = source
        for name, value, node in reversed(_assigned(source, settings)):
            found.add(name)
            text = _replaced(text, node, repr(value))
        done.append((place, text))
    return done, [name for name in settings if name not in found]


def _assigned(source: str, settings: Mapping[str, Json]) -> list[tuple[str, Json, ast.expr]]:
    """Return the values that names of the settings are bound to at the top level of a source, in its order."""
    found: list[tuple[str, Json, ast.expr]] = []
    for node in _body(source):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in settings:
                found.append((name, settings[name], value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name in settings:
                found.append((name, settings[name], value))
    return found


def _replaced(source: str, node: ast.expr, text: str) -> str:
    """Return a source with the text of one expression replaced; offsets count bytes, and lines stay where they were."""
    lines = source.encode().split(b"\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    lines[first : last + 1] = [before + text.encode() + after, *[b""] * (last - first)]
    return b"\n".join(lines).decode()


def archives(cells: Cells) -> list[str]:
    """Return the .npz files that a script names: there the data is laid."""
    found = dict.fromkeys(match for _, source in cells for match in _ARCHIVE.findall(source))
    return [path for path in found if ".." not in path.split("/")][:_MOST]


def folders(cells: Cells) -> list[str]:
    """Return the folders that a script takes its images from by its command line's defaults, or as torchvision does.

    >>> folders([("a.py", "parser.add_argument('--data', default='./pokemon')")])
    ['./pokemon']
    """
    found = [text for _, source in cells for tree in _body(source) for text in _folders(tree)]
    return [path for path in dict.fromkeys(found) if path and ".." not in path.split("/")][:_MOST]


def _folders(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=flags, keywords=keywords):
                about = any(isinstance(one, ast.Constant) and _ABOUT_DATA.search(str(one.value)) for one in flags)
                named = [one.value for one in keywords if one.arg == "default" and about]
            case ast.Call(func=ast.Attribute(attr="ImageFolder") | ast.Name(id="ImageFolder"), args=[first, *_]):
                named = [first]
            case _:
                named = []
        yield from (one.value for one in named if isinstance(one, ast.Constant) and isinstance(one.value, str))


def calls_of(cells: Cells, name: str) -> list[str]:
    """Return how a script calls a class, as texts of expressions, each once; `models.VAE(2)` is a call of VAE."""
    found = (
        ast.unparse(ast.Call(ast.Name(name), node.args, node.keywords))
        for _, source in cells
        for tree in _body(source)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node.func) == name
    )
    return list(dict.fromkeys(text for text in found if len(text) <= 200))[:_MOST]


def constants(cells: Cells) -> dict[str, Json]:
    """Return the numbers, texts and truths that names are bound to at the top level.

    >>> constants([("a.py", "SIZE, BATCH = 64, 32")])
    {'SIZE': 64, 'BATCH': 32}
    """
    found: dict[str, Json] = {}
    for node in (node for _, source in cells for node in _body(source)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found |= _constant(name, value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for one, value in zip(names, values, strict=True):
                    found |= _constant(called(one), value)
    return found


def _constant(name: str, value: ast.expr) -> dict[str, Json]:
    match value:
        case ast.Constant(value=bool() | int() | float() | str() as constant) if name:
            return {name: constant}
    return {}


def trains(cells: Cells) -> bool:
    """Return whether a script trains a network itself: it goes back through a loss."""
    return any(
        isinstance(node, ast.Call) and called(node.func) == "backward"
        for _, source in cells
        for tree in _body(source)
        for node in ast.walk(tree)
    )


def _body(source: str) -> Iterable[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # said where it runs
