"""Runs a probe: executes the slice beside nothing but itself, then the experiments one by one.

Whatever an experiment raises becomes a `Failure` in its evidence, so that one broken corner costs one criterion.
"""

from __future__ import annotations

import importlib
import inspect
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

import numpy as np

from graders.model import Experiment, Failure, Slice, Statement
from graders.probes import binding, legacy, wire
from graders.probes.draw import Draw
from graders.probes.student import Student

# Colours, and the words that Keras puts before and after the message of an exception raised in a layer's call.
_ANSI = re.compile(r"\x1b\[[\d;]*m")
_WRAPPING = re.compile(
    r"^Exception encountered when calling .*?\n\n|\s*Arguments received by .*|\{\{function_node .*?\}\} ?|"
    r" \[Op:\w+\]( name: ?)?|[^.]*was defined here:.*",
    re.DOTALL,
)
# The experiment that carries what went wrong before the probe could begin.
LOADING = "loading"


def run(order: wire.Order) -> Iterator[tuple[str, Experiment]]:
    """Execute the slice of an order and yield its experiments; `loading` comes first and tells how the slice fared."""
    registry = importlib.import_module(f"graders.assignments.{order.assignment}").GRADERS
    lab = instruments(registry.framework)
    orders = {item: grader.arguments for item, grader in registry.items()}
    places = places_of(order.slice)
    try:
        legacy.restore()
        lab.restore()
        namespace = load(order, orders)
    except BaseException as error:
        yield LOADING, Experiment(failure=failure_of(error, places))
        return
    lab.adopt(namespace)
    yield LOADING, Experiment()
    student = Student(namespace, order.slice.found, orders)
    draw = Draw(order.seed, order.item, order.pictures)
    yield from experiments(registry[order.item], student, lab, draw, places)


def instruments(framework: str) -> Any:
    """Return the instruments of a framework, a module of this package; only where student code runs is it imported."""
    return importlib.import_module(f"graders.probes.{framework}")


def experiments(
    grader: Any, student: Student, lab: Any, draw: Draw, places: Container[str]
) -> Iterator[tuple[str, Experiment]]:
    """Run the experiments of one grader's probe on a student's definitions, with the instruments `lab`."""
    with lab.prepared():
        for name, experiment in grader.probe(student, lab, draw).items():
            yield name, attempt(experiment, places)


def attempt(experiment: Callable[[], Mapping[str, Any]], places: Container[str]) -> Experiment:
    """Return what an experiment measured, or how it failed."""
    try:
        measured = experiment()
        arrays = {name: value for name, value in measured.items() if isinstance(value, np.ndarray)}
        for name, array in arrays.items():
            if array.dtype.kind not in "fiub":
                raise TypeError(f"{name}: an array of {array.dtype}, not of numbers")
        return Experiment({name: value for name, value in measured.items() if name not in arrays}, arrays)
    except Exception as error:
        return Experiment(failure=failure_of(error, places))


def load(order: wire.Order, orders: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Execute what an order provides and then the student's slice; return the student's namespace."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outside: dict[str, Any] = {}
    if order.given:
        given = execute(order.given, {"__name__": "__given__"})
        outside |= {name: given[name] for name in order.given.found.values()}
    if order.provided_slice:
        reference = execute(order.provided_slice, {"__name__": "__reference__"})
        for item, reference_name in order.provided.items():
            name = order.slice.found.get(item, reference_name)
            parameters = order.slice.parameters.get(name, ())
            outside[name] = adapted(reference[reference_name], parameters, orders[item])
    return execute(order.slice, namespace | outside, outside)


def adapted(reference: Any, parameters: Sequence[str], order: Sequence[str]) -> Any:
    """Return the reference's class or function, called as the student's own would have been."""
    if not inspect.isclass(reference):
        return lambda *args, **kwargs: reference(**binding.translate(parameters, order, args, kwargs))

    class Adapted(reference):  # type: ignore[misc] # which class it is, the order says
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(**binding.translate(parameters, order, args, kwargs))

    return Adapted


def execute(piece: Slice, namespace: dict[str, Any], outside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Execute the statements of a slice in a namespace; its own modules become importable first.

    `outside` is what the modules of the slice see besides their own definitions.
    """
    if piece.modules:
        sys.meta_path.insert(0, _Modules(piece.modules, outside or {}))
    if outside is not None:  # the student's: the reference's source is not laid open
        remember(piece)
    for statement in piece.statements:
        exec(compiled(statement), namespace)
    return namespace


def compiled(statement: Statement) -> types.CodeType:
    """Compile a statement so that tracebacks name the student's cell and line."""
    return compile("\n" * (statement.line - 1) + statement.source, statement.place, "exec")


def remember(piece: Slice) -> None:
    """Give `inspect` and TensorFlow's autograph the source text that belongs to each place."""
    texts: dict[str, dict[int, str]] = {}
    for statement in (*piece.statements, *(entry for module in piece.modules.values() for entry in module)):
        lines = texts.setdefault(statement.place, {})
        lines |= dict(enumerate(statement.source.splitlines(), statement.line))
    for place, by_number in texts.items():
        text = [by_number.get(number, "") + "\n" for number in range(1, max(by_number, default=0) + 1)]
        linecache.cache[place] = (sum(map(len, text)), None, text, place)


class _Modules(MetaPathFinder, Loader):
    """Imports the student's own modules from the statements that were sliced from them."""

    def __init__(self, modules: Mapping[str, Sequence[Statement]], outside: Mapping[str, Any]) -> None:
        self.modules, self.outside = modules, outside

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = any(other.startswith(name + ".") for other in self.modules)
        return ModuleSpec(name, self, is_package=package) if package or name in self.modules else None

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__.update(self.outside)
        for statement in self.modules.get(module.__name__, ()):
            exec(compiled(statement), module.__dict__)


def places_of(piece: Slice) -> set[str]:
    """Return the places that a slice's statements come from."""
    modules = (entry for module in piece.modules.values() for entry in module)
    return {statement.place for statement in (*piece.statements, *modules)}


def failure_of(error: BaseException, places: Container[str]) -> Failure:
    """Return an exception as data: its type, its message, and the innermost line of the student's that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    where = next((f"{f.filename}, line {f.lineno}" for f in reversed(frames) if f.filename in places), "")
    if isinstance(error, SyntaxError) and not where:
        where = f"{error.filename}, line {error.lineno}"
    if _out_of_memory(error):
        return Failure("memory", "it takes more memory than there is for it", where)
    return Failure(type(error).__name__, wire.clip(message_of(error)), where)


def _out_of_memory(error: BaseException | None) -> bool:
    """Return whether memory ran out, also where Keras raises an error of its own for it."""
    for _ in range(10):  # a chain of a student's own may have no end
        if error is None or isinstance(error, MemoryError):
            break
        error = error.__context__
    return isinstance(error, MemoryError)


def message_of(error: BaseException) -> str:
    """Return an exception's message without what frameworks wrap around it; its `__str__` may itself raise."""
    try:
        text = _ANSI.sub("", str(error))
    except Exception:
        return "a message that cannot be read"
    text = _WRAPPING.sub("", text).strip()
    # TensorFlow tells its whole trace first: the last line says what was wrong.
    return text.splitlines()[-1].strip() if text.startswith("in user code:") else text
