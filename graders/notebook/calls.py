"""What a statement does when it runs: the calls that it makes at once, and which of them train, read, plot or wait."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# Calls that make a statement heavy: it is never part of a slice. Names as they end, `model.fit` and `fit` alike.
_HEAVY = {
    "trains or runs a model": "apply_gradients backward compile evaluate evaluate_generator fit fit_generator "
    "fit_transform minimize predict predict_generator predict_on_batch step summary test_on_batch train_on_batch",
    "reads data": "CIFAR10 CIFAR100 FashionMNIST ImageFolder MNIST flow_from_dataframe flow_from_directory "
    "from_tensor_slices genfromtxt glob iglob image_dataset_from_directory imread iterdir list_files listdir load "
    "load_data load_dataset load_img load_model load_state_dict load_weights loadtxt open read_csv read_file "
    "read_pickle read_text rglob scandir walk",
    "downloads or unpacks": "download extractall get_file mount requests.get snapshot_download unpack_archive "
    "urlopen urlretrieve",
    "plots": "figure imshow plot plot_model savefig show subplot subplots",
    "writes files": "copytree dump imwrite makedirs mkdir rmtree save save_model save_weights savetxt savez to_csv "
    "write_text",
    "calls the shell or the notebook": "check_call check_output get_ipython getoutput popen Popen run_cell_magic "
    "run_line_magic subprocess.call subprocess.run system",
    "waits or ends the program": "_exit abort exit input quit sleep",
}
HEAVY = {name: reason for reason, names in _HEAVY.items() for name in names.split()}
# They end like a heavy call and are none.
LIGHT = frozenset({"re.compile", "regex.compile"})
ENDLESS = "loops without end"

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Calls:
    """The calls of a piece of code: why it is heavy ("" if it is not), and the names that it calls, as `f` or `h.f`."""

    heavy: str = ""
    names: frozenset[str] = field(default=frozenset())


def at_once(roots: Iterable[ast.AST], classes: bool = True) -> Iterator[ast.AST]:
    """Yield all nodes that run when the statements `roots` run: no function bodies, and class bodies if `classes`."""
    stack = list(roots)[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(list(_children(node, classes))[::-1])


def _children(node: ast.AST, classes: bool) -> Iterator[ast.AST]:
    if isinstance(node, _Function | ast.Lambda):
        yield from getattr(node, "decorator_list", [])
        yield node.args
        if isinstance(node, _Function) and node.returns:
            yield node.returns
    elif isinstance(node, ast.ClassDef) and not classes:
        yield from [*node.decorator_list, *node.bases, *node.keywords]
    else:
        yield from ast.iter_child_nodes(node)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for such an expression, with "" for a part that is no name: `().fit` is ".fit"."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def calls_of(nodes: Iterable[ast.AST]) -> Calls:
    """Return the calls among nodes, and those of decorators that stand without parentheses."""
    heavy = ""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            heavy = heavy or ENDLESS
        for name in _called(node):
            heavy = heavy or reason(name)
            names.add(name)
    return Calls(heavy, frozenset(name for name in names if name.count(".") <= 3))


def _called(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Call):
        return [dotted(node.func)]
    return [dotted(decorator) for decorator in getattr(node, "decorator_list", [])]


def reason(name: str) -> str:
    """Return what a call of that name does, "" when that is no matter.

    >>> reason("model.fit"), reason("re.compile")
    ('trains or runs a model', '')
    """
    if name in LIGHT:
        return ""
    return HEAVY.get(name) or HEAVY.get(name.rpartition(".")[2], "")


def bodies_of(statement: ast.stmt) -> dict[str, Calls]:
    """Return, for each function or class that the statement defines, the calls that calling it makes."""
    bodies: dict[str, Calls] = {}
    for node in at_once([statement], classes=False):
        if isinstance(node, _Function):
            bodies[node.name] = _run(node.body, {})
        elif isinstance(node, ast.ClassDef):
            bodies[node.name] = _constructor(node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            calls = calls_of(at_once([node.value.body]))
            bodies |= {target.id: calls for target in node.targets if isinstance(target, ast.Name)}
    return bodies


def _constructor(node: ast.ClassDef) -> Calls:
    methods = {f"self.{child.name}": child.body for child in node.body if isinstance(child, _Function)}
    calls = _run(methods.get("self.__init__", []), methods)
    return Calls(calls.heavy, calls.names | {dotted(base) for base in node.bases})


def _run(body: list[ast.stmt], inner: Mapping[str, list[ast.stmt]]) -> Calls:
    """Return the calls of a body and of the `inner` or nested functions that it calls."""
    known = dict(inner)
    todo, seen, heavy = [body], {id(body)}, ""
    names: set[str] = set()
    while todo:
        nodes = list(at_once(todo.pop()))
        known |= {node.name: node.body for node in nodes if isinstance(node, _Function)}
        calls = calls_of(nodes)
        heavy = heavy or calls.heavy
        names |= calls.names
        for nested in (known[name] for name in sorted(calls.names & known.keys())):
            if id(nested) not in seen:
                seen.add(id(nested))
                todo.append(nested)
    return Calls(heavy, frozenset(names))
