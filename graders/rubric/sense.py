"""What the parts of a rubric say of each other: ids, sums of points, dependencies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from graders.errors import did_you_mean
from graders.model import Tier
from graders.rubric.places import Loc, Wrong
from graders.rubric.shape import ItemTable, RubricTable

TOLERANCE = 1e-9  # in points: sums of decimal fractions are not exact


def of_sense(rubric: RubricTable) -> Iterator[Wrong]:
    """Yield what is wrong between the parts of a rubric whose parts are each in order."""
    ids = [item.id for item in rubric.items]
    yield from _repeated(ids, lambda at: ("items", at, "id"))
    for at, item in enumerate(rubric.items):
        yield from _of_criteria(("items", at), item)
        yield from _repeated(item.depends, lambda _, at=at: ("items", at, "depends"))  # type: ignore[misc]
        yield from _of_metric(("items", at), item, rubric)
        for other in item.depends:
            if other not in ids:
                yield Wrong(("items", at, "depends"), f"depends on unknown item '{other}'{did_you_mean(other, ids)}")
    for at, decision in enumerate(rubric.decisions):
        if decision.item not in ids:
            near = did_you_mean(decision.item, ids)
            yield Wrong(("decisions", at, "item"), f"decision on unknown item '{decision.item}'{near}")
    earned = [item.points for item in rubric.items if item.kind != "bonus"]  # a bonus recovers points, it adds none
    yield from _of_sum(("total",), "total", "items", rubric.total, earned)
    yield from _of_cycles(rubric.items)


def _of_criteria(loc: Loc, item: ItemTable) -> Iterator[Wrong]:
    yield from _repeated([each.name for each in item.criteria], lambda at: (*loc, "criteria", at, "name"))
    if item.criteria:
        yield from _of_sum((*loc, "points"), "points", "criteria", item.points, [each.points for each in item.criteria])
    elif item.tier is Tier.BEHAVIOUR:
        yield Wrong((*loc, "tier"), "tier 'behaviour' asks for criteria, and there are none")
    if item.executed and item.tier is not Tier.RECORD:
        yield Wrong((*loc, "executed"), f"executed goes with tier 'record', and this one is '{item.tier}'")


def _of_metric(loc: Loc, item: ItemTable, rubric: RubricTable) -> Iterator[Wrong]:
    """Yield what is wrong with what a metric says of other items: they must be judged before it."""
    if item.metric is None:
        return
    if item.tier is not Tier.METRIC:
        yield Wrong((*loc, "metric"), f"only an item of tier 'metric' has a metric, not one of '{item.tier}'")
    if item.points and item.metric.full is None:
        yield Wrong((*loc, "metric"), "an item with points asks for full and none, the ends of their scale")
    named = {other.id: [f"{other.id}.{each.name}" for each in other.criteria] for other in rubric.items}
    for key, name in (("model", item.metric.model), ("encoder", item.metric.encoder)):
        if name not in named and (name or key == "model"):
            yield Wrong((*loc, "metric", key), f"{key} of unknown item '{name}'{did_you_mean(name, named)}")
    if item.metric.script and item.metric.script not in rubric.unchanged:
        near = did_you_mean(item.metric.script, rubric.unchanged)
        yield Wrong((*loc, "metric", "script"), f"script '{item.metric.script}' is not among `unchanged`{near}")
    known = [name for other in item.depends for name in named.get(other, [])]
    for name in (*item.metric.requires, *filter(None, [item.metric.claim])):
        if name not in known:
            near = did_you_mean(name, known)
            yield Wrong((*loc, "metric"), f"'{name}' is no criterion of what {item.id} depends on{near}")


def _of_sum(loc: Loc, key: str, parts: str, whole: float, points: Sequence[float]) -> Iterator[Wrong]:
    if abs(math.fsum(points) - whole) > TOLERANCE:
        yield Wrong(loc, f"{key} is {whole:g}, but its {parts} sum to {math.fsum(points):.10g}")


def _repeated(words: Sequence[str], loc: Callable[[int], Loc]) -> Iterator[Wrong]:
    for at, word in enumerate(words):
        if word in words[:at]:
            yield Wrong(loc(at), f"{loc(at)[-1]}: '{word}' stands there twice")


def _of_cycles(items: Iterable[ItemTable]) -> Iterator[Wrong]:
    """Take away what depends on nothing that is left, until nothing goes: what stays is in a cycle or hangs on one."""
    left = {item.id: (at, set(item.depends)) for at, item in enumerate(items)}
    while free := [key for key, (_, needs) in left.items() if not needs & left.keys()]:
        for key in free:
            del left[key]
    if left:
        start = next(iter(left))
        chain = [start]
        while chain[-1] not in chain[:-1]:
            chain.append(min(left[chain[-1]][1] & left.keys()))
        cycle = chain[chain.index(chain[-1]) :]
        yield Wrong(("items", left[cycle[0]][0], "depends"), f"depends goes in a circle: {' -> '.join(cycle)}")
