"""Constructs that a solution has no use for, with the line: for the instructor to look at, never a reason for a mark.

Ordinary notebooks use seeds, settings, magics, downloads and old habits freely; a list with false alarms is not read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graders.notebook.calls import dotted
from graders.notebook.program import Program
from graders.notebook.statements import Parsed


@dataclass(frozen=True, order=True)
class Suspicion:
    """A construct, where it stands ("cell 4" or a file, and the line there), and why it is odd in a solution."""

    place: str
    line: int
    construct: str
    why: str


_BELOW = "reaches memory and system calls below Python"
_ENDS = "ends or duplicates the process"
_OTHERS = "acts on other processes"
_SEARCHES = "searches the memory of the process"
_STACK = "looks at the code that called it"
_RUNS_TEXT = "runs code that is made while it runs"
_LATER = "runs when it is not looked at"
_TALKS = "talks to other processes or machines"
_IMPORTS = "changes how modules are found"
_PATCHES = "changes a library under the feet of all other code"
_GRADER = "uses the inside of the grader"
_FILES = "names files of the system"
_LIES = "lets objects pass for what they are not"

# Modules and their names -> why. A module alone stands for its import and everything in it.
NAMES: Mapping[str, str] = {
    **dict.fromkeys(("ctypes", "cffi", "_ctypes", "mmap"), _BELOW),
    **dict.fromkeys(("os._exit", "os.abort", "os.fork", "os.forkpty", "os.posix_spawn", "pty"), _ENDS),
    **dict.fromkeys(("os.kill", "os.killpg", "os.setpriority", "signal.signal", "signal.pthread_kill"), _OTHERS),
    **dict.fromkeys(("resource.prlimit", "resource.setrlimit", "signal.setitimer", "signal.alarm"), _OTHERS),
    **dict.fromkeys(("gc.get_objects", "gc.get_referrers", "gc.get_referents", "linecache"), _SEARCHES),
    **dict.fromkeys(("sys._getframe", "sys._current_frames", "sys.settrace", "sys.setprofile"), _STACK),
    **dict.fromkeys(("inspect.stack", "inspect.currentframe", "inspect.getouterframes", "inspect.trace"), _STACK),
    **dict.fromkeys(("marshal", "types.CodeType", "types.FunctionType", "code.interact"), _RUNS_TEXT),
    **dict.fromkeys(("builtins.exec", "builtins.eval", "builtins.compile", "builtins.__import__"), _RUNS_TEXT),
    **dict.fromkeys(("atexit.register", "weakref.finalize", "sys.excepthook", "sys.addaudithook"), _LATER),
    **dict.fromkeys(("socket", "socketserver", "multiprocessing.shared_memory"), _TALKS),
    **dict.fromkeys(("sys.modules", "sys.meta_path", "sys.path_hooks"), _IMPORTS),
}
# As above, where it stands in a function or class: at the top of a cell it is how notebooks fetch their data.
NAMES_INSIDE: Mapping[str, str] = dict.fromkeys(("subprocess", "os.system", "os.popen", "urllib.request"), _TALKS)
BUILTINS: Mapping[str, str] = dict.fromkeys(("exec", "eval", "compile", "__import__"), _RUNS_TEXT)
ATTRIBUTES: Mapping[str, str] = {
    **dict.fromkeys(("__subclasses__", "__globals__", "__builtins__", "__closure__"), _SEARCHES),
    **dict.fromkeys(("f_back", "f_locals", "f_globals", "tb_frame", "gi_frame"), _STACK),
}
METHODS: Mapping[str, str] = dict.fromkeys(
    ("__eq__", "__class__", "__instancecheck__", "__subclasscheck__", "__getattribute__", "__array_function__"), _LIES
)
# Libraries that other code relies on; settings of others (`pd.options`, `ssl`, `Image`) are everyday habits.
_PATCHED = frozenset("builtins graders importlib inspect json keras numpy os safetensors sys tensorflow torch".split())
# What notebooks assign to: arguments and streams, `np.float = float` for old code, switches of cuDNN, CONSTANTS.
_HABITS = re.compile(
    r"sys\.(argv|stdout|stderr|path|tracebacklimit)|numpy\.(float|int|bool|object|str|complex)_?|"
    r"torch\.backends\..*|.*\.[A-Z][A-Z_0-9]*"
)
_SYSTEM_FILES = re.compile(
    r"/(proc|sys|etc|dev/(?!null\b)|boot|var)(/|\b)|/root/\.|/dev/shm|.*\b(site|user)customize\b"
)
_LISTINGS = frozenset({"walk", "listdir", "scandir", "glob", "iglob"})
_LONGEST = 60
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def suspicions(program: Program) -> tuple[Suspicion, ...]:
    """Return what is suspicious in a program's main file and modules, by place and line."""
    files = {id(statements): statements for statements in (program.main, *program.modules.values())}
    found = {one for statements in files.values() for one in _of_file(statements)}
    return tuple(sorted(found))


def _of_file(statements: tuple[Parsed, ...]) -> Iterator[Suspicion]:
    imported: dict[str, str] = {}
    for parsed in statements:
        imported |= _imports(parsed.node)
    for parsed in statements:
        yield from _Look(parsed, imported).found()


def _imports(root: ast.AST) -> dict[str, str]:
    """Return the full names that the imports of a statement, at any depth, give to local ones."""
    names: dict[str, str] = {}
    for node in ast.walk(root):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


@dataclass
class _Look:
    """One statement, with what the names of its file stand for."""

    parsed: Parsed
    imported: Mapping[str, str]
    _inside: bool = False  # whether what is looked at stands in a function or a class

    def found(self) -> Iterator[Suspicion]:
        """Yield what is suspicious in the statement."""
        waiting: list[tuple[ast.AST, bool]] = [(self.parsed.node, False)]
        while waiting:
            node, inside = waiting.pop()
            self._inside = inside or isinstance(node, _DEFINITIONS)
            for construct, why in self._of(node):
                yield self._at(node, construct, why)
            waiting += [(child, self._inside) for child in ast.iter_child_nodes(node)]

    def _at(self, node: ast.AST, construct: str, why: str) -> Suspicion:
        root, statement = self.parsed.node, self.parsed.statement
        start = min([root.lineno, *(one.lineno for one in getattr(root, "decorator_list", []))])
        line = statement.line + getattr(node, "lineno", start) - start
        short = " ".join(construct.split())
        return Suspicion(statement.place, line, short if len(short) <= _LONGEST else f"{short[:57]}...", why)

    def _of(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from self._of_import(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield from self._of_name(node)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node)
        elif isinstance(node, ast.FunctionDef) and node.name in METHODS:
            yield f"def {node.name}", METHODS[node.name]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _SYSTEM_FILES.match(node.value):
            yield repr(node.value), _FILES

    def _of_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [f"{node.module}.{alias.name}" for alias in node.names if not node.level]
        for name in names:
            if why := self._why(name, node):
                yield ast.unparse(node), why
            elif name.startswith("graders.") and name != "graders.check":
                yield ast.unparse(node), _GRADER

    def _of_name(self, node: ast.Attribute | ast.Name) -> Iterator[tuple[str, str]]:
        name = self._full(node)
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield ast.unparse(node), ATTRIBUTES[node.attr]
        elif isinstance(node.ctx, ast.Store | ast.Del):
            yield from self._of_target(node, name)
        elif isinstance(node, ast.Attribute) and (why := self._why(name, node)):
            yield ast.unparse(node), why
        elif isinstance(node, ast.Attribute) and re.fullmatch(r"graders\.(?!check$)\w+", name):
            yield ast.unparse(node), _GRADER

    def _of_target(self, node: ast.Attribute | ast.Name, name: str) -> Iterator[tuple[str, str]]:
        if not isinstance(node, ast.Attribute):
            return
        if node.attr == "__class__":
            yield f"{ast.unparse(node)} = ...", _LIES
        elif name.partition(".")[0] in _PATCHED and not _HABITS.fullmatch(name):
            yield f"{ast.unparse(node)} = ...", _PATCHES

    def _of_call(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        name = self._full(node.func)
        if isinstance(node.func, ast.Name) and (why := BUILTINS.get(name) or self._why(name, node)):
            yield ast.unparse(node), why
        if name in ("setattr", "delattr") and node.args:
            changed = f"{self._full(node.args[0])}."
            if changed.partition(".")[0] in _PATCHED:
                yield ast.unparse(node), _PATCHES
        if name == "importlib.import_module" and node.args and not isinstance(node.args[0], ast.Constant):
            yield ast.unparse(node), _RUNS_TEXT
        if name.rpartition(".")[2] in _LISTINGS and any(_is_root(argument) for argument in node.args):
            yield ast.unparse(node), _FILES
        if name.rpartition(".")[2] == "Thread" and any(_is_daemon(keyword) for keyword in node.keywords):
            yield ast.unparse(node), _LATER

    def _full(self, node: ast.AST) -> str:
        """Return the name that an expression stands for, with the imports resolved; "" for what is no name."""
        first, dot, rest = dotted(node).partition(".")
        return self.imported.get(first, "" if dot else first) + dot + rest

    def _why(self, name: str, node: ast.AST) -> str:
        tables = (NAMES, NAMES_INSIDE) if self._inside else (NAMES,)
        parts = name.split(".")
        known = [".".join(parts[: end + 1]) for end in range(len(parts))]
        return next((table[one] for table in tables for one in known if one in table), "")


def _is_root(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in ("/", "/*", "/**")


def _is_daemon(keyword: ast.keyword) -> bool:
    return keyword.arg == "daemon" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
