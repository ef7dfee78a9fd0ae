"""Makes the class of C7 small: whatever the notebook asks for, it is built with the sizes of a rehearsal."""

from __future__ import annotations

import contextlib
import functools
import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graders.probes import binding

_NAMES = ("AutoregressiveModel", "AutoregressiveNetwork", "AutoregressiveLayer")


class Shrinker:
    """Wraps constructors whose arguments are those of `sizes`; notes what each object was asked to be.

    The constructor itself is wrapped and not the name: a cell that defines and builds at once, a subclass, `super()`,
    `isinstance` and pickling all see the same class. With empty `sizes` nothing is changed, only noted.
    """

    def __init__(self, names: tuple[str, ...], sizes: Mapping[str, int]) -> None:
        self._order, self._sizes = names, sizes
        self._asked: list[dict[str, Any]] = []  # of the constructors that are running, outermost first
        self.builds: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

    def take(self, cls: type) -> None:
        """Wrap the constructor of a class, if its arguments are those of C7."""
        initialize = cls.__dict__.get("__init__")
        if not inspect.isfunction(initialize) or hasattr(initialize, "_asked_for"):
            return
        if taken := self._taken(cls.__name__, list(inspect.signature(initialize).parameters)[1:]):
            cls.__init__ = self._wrapped(initialize, taken)  # type: ignore[misc] # for the class's own good

    def take_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of C7's name wrapped, any other as it is."""
        if hasattr(function, "_asked_for") or binding.plain(function.__name__) not in map(binding.plain, _NAMES):
            return function
        taken = self._taken(function.__name__, list(inspect.signature(function).parameters))
        return self._wrapped(function, taken) if taken else function

    def _taken(self, name: str, parameters: list[str]) -> dict[str, str]:
        """Return which parameter takes which argument; empty when it is not C7's class."""
        by_name = {argument: p for p in parameters if (argument := binding.argument_of(p, self._order))}
        if len(by_name) == len(self._order):
            return by_name
        if binding.plain(name) in map(binding.plain, _NAMES):
            by_place = binding.names_for(parameters, self._order)
            return by_place if len(by_place) == len(self._order) else {}
        return {}

    def _wrapped(self, original: Callable[..., Any], taken: Mapping[str, str]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return original(*args, **kwargs)  # it says itself what is wrong
            bound.apply_defaults()
            with self._noted({name: bound.arguments.get(taken[name]) for name in self._order}) as asked:
                bound.arguments.update({taken[name]: size for name, size in self._sizes.items() if name in taken})
                result = original(*bound.args, **bound.kwargs)
            with contextlib.suppress(TypeError):  # what cannot be referred to weakly is no layer
                self.builds[args[0] if result is None else result] = asked
            return result

        wrapper.__signature__ = signature  # type: ignore[attr-defined] # Keras reads it for get_config
        wrapper._asked_for = True  # type: ignore[attr-defined]
        return wrapper

    @contextlib.contextmanager
    def _noted(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Give what the outermost constructor was asked for: a base class's constructor is called with small sizes."""
        self._asked.append(asked)
        try:
            yield self._asked[0]
        finally:
            self._asked.pop()
