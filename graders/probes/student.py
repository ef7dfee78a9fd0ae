"""The code under test as a probe sees it: names bound to items, called with the handout's arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graders.probes import binding


class NotDefinedError(Exception):
    """The student's code defines no object for an item."""


class Student:
    """The student's definitions. `names` maps item ids to names in `namespace`, `orders` to the handout's arguments."""

    def __init__(
        self, namespace: Mapping[str, Any], names: Mapping[str, str], orders: Mapping[str, Sequence[str]]
    ) -> None:
        self.namespace, self.names, self.orders = namespace, names, orders

    def definition(self, item: str) -> Any:
        """Return the student's class or function for an item; raises NotDefinedError when there is none."""
        name = self.names.get(item)
        if name is None or name not in self.namespace:
            raise NotDefinedError(f"{name or item} is not defined")
        return self.namespace[name]

    def build(
        self,
        item: str,
        fallback: Mapping[str, Any] | None = None,
        wished: Mapping[str, Any] | None = None,
        /,
        **arguments: Any,
    ) -> Any:
        """Return the student's object for an item, built with the handout's arguments; see `binding.call`."""
        return binding.call(self.definition(item), self.orders[item], arguments, fallback, wished)

    def call(self, item: str, /, **arguments: Any) -> Any:
        """Return what the student's function for an item returns, called with the handout's arguments."""
        return binding.call(self.definition(item), self.orders[item], arguments)

    def parameters(self, item: str) -> list[str]:
        """Return the names of the parameters that the student's constructor takes."""
        return [parameter.name for parameter in binding.parameters_of(self.definition(item))]
