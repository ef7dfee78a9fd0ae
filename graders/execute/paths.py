"""Finds where a notebook looks for its data and weights, so that they can be laid there. Pure: it runs nothing."""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.execute.strings import Known, bindings, called, texts_of
from graders.notebook.cells import LONGEST_CELL, PYTHON_MAGICS, without_magics

_WEIGHTS = (".h5", ".hdf5", ".keras")
_ARCHIVES = (".zip",)
_FOLDERS = (
    ("train", re.compile(r"train(ing)?([-_ ]?(half|data|dir|set|images|full|small|subset))*")),
    ("test", re.compile(r"test(ing)?([-_ ]?(half|data|dir|set|images|full|small|subset))*")),
    ("validation", re.compile(r"val(id|idation)?([-_ ]?(data|dir|set|images))*")),
    ("data", re.compile(r".*pa[-_ ]?2.*|data([-_ ]?(set|dir))?s?|.*calligraphy.*")),
)
_LOADS = frozenset({"load_weights", "load_model"})
_SAVES = frozenset({"ModelCheckpoint", "save", "save_model", "save_weights"})
_MAKES = frozenset({"makedirs", "mkdir"})
_COPIES = frozenset({"copy", "copy2", "copyfile", "copytree", "move", "rename", "urlretrieve"})
_GOES = frozenset({"chdir"})
_WILD = re.compile(r"[*?\[]")
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*")
_TIMES = re.compile(r"^([ \t]*)%(?:time|timeit|prun)[ \t]+", re.MULTILINE)
_MOST = 200
_ABOUT_DATA = re.compile(r"data|root", re.IGNORECASE)


@dataclass(frozen=True)
class Expected:
    """A path as the notebook names it, and what it takes it for.

    `kind` is one of: train, test, validation, data (the folder with those in it), weights, archive, folder (that the
    notebook goes to).
    """

    path: str
    kind: str


def expected_paths(notebook: Mapping[str, Any]) -> tuple[Expected, ...]:
    """Return the paths at which a notebook of nbformat 4 expects data, weights and archives that it does not make."""
    trees = list(_trees(notebook))
    known = bindings(trees)
    own = {_plain(path) for tree in trees for path in _made(tree, known)}
    found = [one for tree in trees for one in _expected(tree, known)]
    going = [one.path for one in found if one.kind == "folder"]
    below = [
        Expected(posixpath.join(folder, one.path), one.kind)
        for folder in going
        for one in found
        if one.kind != "folder" and not one.path.startswith(("/", "~"))
    ]
    return tuple(dict.fromkeys(one for one in (*found, *below) if _plain(one.path) not in own))[:_MOST]


def links(notebook: Mapping[str, Any], targets: Mapping[str, str]) -> dict[str, str]:
    """Return the links of a stage for a notebook: path -> path in the stage.

    `targets` maps kinds to paths in the stage; an archive is made of the data. Folders that the notebook goes to get
    what the stage has at its top.
    """
    targets = {"archive": targets.get("data", ""), **targets, "folder": "."}
    found = {one.path: targets.get(one.kind, "") for one in expected_paths(notebook)}
    return {path: target for path, target in found.items() if target}


def _plain(path: str) -> str:
    return posixpath.normpath(path)


def _trees(notebook: Mapping[str, Any]) -> Iterator[ast.AST]:
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or len(cell["source"]) > LONGEST_CELL:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's "\d" is no business of ours
            try:
                yield ast.parse(without_magics(timed(cell["source"])))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue


def timed(source: str) -> str:
    """Return a cell's text without magics that only time its Python."""
    while match := _CELL_MAGIC.match(source):
        if match[1] not in PYTHON_MAGICS:
            break
        source = source[match.end() :]
    return _TIMES.sub(r"\1", source)


# What the notebook makes itself ---------------------------------------------------------------------------------------


def _made(tree: ast.AST, known: Known) -> Iterator[str]:
    """Yield the paths that a notebook makes or writes: there nothing is laid."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for argument in _written(node, known):
                yield from texts_of(argument, known)
    for line in _commands(tree, known):
        words = _words(line)
        if words[:1] == ["mkdir"]:
            yield from (word for word in words[1:] if not word.startswith("-"))


def _written(node: ast.Call, known: Known) -> list[ast.expr]:
    """Return the arguments of a call that name what it makes."""
    name = called(node.func)
    if name in _MAKES:
        return [*node.args[:1], *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
    if name in _COPIES:
        return node.args[1:2]
    modes = {text[:1] for mode in node.args[1:2] for text in texts_of(mode, known)}
    if name in _SAVES or (name == "ZipFile" and modes & {"w", "a", "x"}):
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    return []


# What it looks for ----------------------------------------------------------------------------------------------------


def _expected(tree: ast.AST, known: Known) -> Iterator[Expected]:
    lines = {id(line) for line in _command_lines(tree)}
    for node in ast.walk(tree):
        for text in () if id(node) in lines else texts_of(node, known):
            if kind := kind_of(text):
                yield Expected(_folder_of(text), kind)
        if isinstance(node, ast.Call):
            yield from _of_call(node, known)
        if isinstance(node, ast.Assign | ast.keyword):
            yield from _of_name(node, known)
    for line in _commands(tree, known):
        yield from (Expected(word, kind) for word in _words(line)[1:] if (kind := kind_of(word)) and "/" in word)


def kind_of(text: str) -> str:
    """Return what a text names, as far as its own last word tells, "" for nothing that is looked for.

    >>> kind_of("/content/drive/MyDrive/pa2/train_half/*.jpg"), kind_of("relu"), kind_of("https://x.org/pa2.zip")
    ('train', '', '')
    """
    if "://" in text or "\n" in text or not text.strip():
        return ""
    name = re.split(r"[/\\]", _folder_of(text).rstrip("/\\"))[-1].lower()
    if name.endswith(_ARCHIVES):
        return "archive"
    if name.startswith("pixel_cnn") and name.endswith(_WEIGHTS):
        return "weights"
    return next((kind for kind, pattern in _FOLDERS if pattern.fullmatch(name)), "")


def _folder_of(text: str) -> str:
    """Return a path up to where wildcards begin."""
    wild = _WILD.search(text)
    return text[: wild.start()].rpartition("/")[0] if wild else text


def _of_call(node: ast.Call, known: Known) -> Iterator[Expected]:
    name = called(node.func)
    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
        for text in texts_of(argument, known):
            if name in _LOADS and text.lower().endswith(_WEIGHTS):
                yield Expected(text, "weights")
            elif name in _GOES and text:
                yield Expected(text, "folder")
    if name == "run_line_magic":
        magic, line = (texts_of(argument, known)[:1] for argument in (*node.args, ast.Constant(""))[:2])
        if magic == ("cd",) and line and line[0].strip():
            yield Expected(line[0].strip().strip("'\""), "folder")


def _of_name(node: ast.Assign | ast.keyword, known: Known) -> Iterator[Expected]:
    """Yield the folder that a name such as data_dir or root is bound to, whatever it is called."""
    names = [node.arg or ""] if isinstance(node, ast.keyword) else [called(target) for target in node.targets]
    if any(_ABOUT_DATA.search(name) for name in names):
        for text in texts_of(node.value, known):
            if "/" in text and "://" not in text and not _WILD.search(text) and not posixpath.splitext(text)[1]:
                yield Expected(text, kind_of(text) or "data")


def _commands(tree: ast.AST, known: Known) -> Iterator[str]:
    """Yield the shell commands of a cell."""
    for line in _command_lines(tree):
        yield from texts_of(line, known)


def _command_lines(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node.func) in ("system", "getoutput"):
            yield from node.args[:1]


def _words(line: str) -> Sequence[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
