"""The rubric: TOML in, an `Assignment` out, or one line that says where the file is wrong and what the right word is.

All that is wrong is gathered before anything is raised, in two rounds: first the keys, types and words; then, when
those are sound, what the parts say of each other (ids, sums, cycles).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graders.errors import UsageError, did_you_mean
from graders.home import rubric_path
from graders.model import Assignment, Criterion, Decision, Item, LatePolicy, Metric, Tier
from graders.rubric.places import refusal
from graders.rubric.sense import of_sense
from graders.rubric.shape import ItemTable, LateTable, MetricTable, RubricTable, of_shape


def load_rubric(slug: str) -> Assignment:
    """Return the assignment of that slug; raises UsageError in one line for whatever is wrong with its rubric."""
    path = rubric_path(slug)
    assignment = read_rubric(path)
    if assignment.slug != slug:
        raise UsageError(
            f"{path}: slug is '{assignment.slug}', but the file is that of '{slug}' (did you mean '{slug}'?)"
        )
    return assignment


def read_rubric(path: Path) -> Assignment:
    """Read a rubric file; raises UsageError in one line that names the file, the line, the key and the right word."""
    return parse_rubric(_bytes(path), path)


def parse_rubric(data: bytes, path: Path) -> Assignment:
    """Return the assignment of a rubric's bytes; `path` is what messages call it. Raises as `read_rubric` does."""
    text = _decoded(path, data)
    tree = _parsed(path, text)
    try:
        rubric = RubricTable.model_validate(tree)
    except ValidationError as error:
        raise refusal(path, text, tree, of_shape(error)) from None
    wrong = list(of_sense(rubric))
    if wrong:
        raise refusal(path, text, tree, wrong)
    return _assignment(rubric, hashlib.sha256(data).hexdigest())


def judgeable(assignment: Assignment, tiers: Collection[Tier] = (Tier.BEHAVIOUR,)) -> tuple[Item, ...]:
    """Return the items that judges grade in these tiers, each after those that it depends on.

    Items of the record and execute tiers are among them once they have criteria, those of the metric tier once they
    have a metric; what such an item depends on comes with it, of whatever tier. One that several tiers can judge has
    only those that are asked for.
    """
    ordered: dict[str, Item] = {}

    def visit(item: Item) -> None:
        if item.id not in ordered:
            for other in item.depends:
                visit(assignment.item(other))
            ordered[item.id] = item

    for item in assignment.items:
        visit(item)
    scored = [item for item in ordered.values() if item.metric and Tier.METRIC in tiers]
    needed = {one for item in scored for one in item.depends}
    found = []
    for item in ordered.values():
        asked = [tier for tier in item.tiers if tier in tiers] or [item.tier] * (item.id in needed)
        if asked and (item.metric if item.tier is Tier.METRIC else item.criteria or item.names):
            found.append(_narrowed(item, asked))
    return tuple(found)


def _narrowed(item: Item, asked: Sequence[Tier]) -> Item:
    """Return an item as one that is judged in these of its tiers."""
    return replace(item, tier=asked[0], executed=len(asked) > 1)


def tiers_of(text: str) -> tuple[Tier, ...]:
    """Return the tiers of a list with commas; raises UsageError for one that no run has.

    >>> tiers_of("behaviour, record")
    (<Tier.BEHAVIOUR: 'behaviour'>, <Tier.RECORD: 'record'>)
    """
    known = [tier for tier in Tier if tier is not Tier.MANUAL]
    words = [word.strip().casefold() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise UsageError(f"--tier {text}: '{word}' is no tier of a run{did_you_mean(word, known)}")
    if not words:
        raise UsageError(f"--tier names no tier (known: {', '.join(known)})")
    return tuple(tier for tier in known if tier in words)


def select(
    assignment: Assignment, only: Sequence[str], tiers: Collection[Tier] = (Tier.BEHAVIOUR,)
) -> tuple[Item, ...]:
    """Return the items of `only`, each once and in dependency order; all judgeable ones when `only` is empty.

    Raises UsageError for an id that is not in the rubric, with the nearest that is, and for an item of another tier,
    which such a run cannot judge. "c3" is read as "C3".
    """
    items = judgeable(assignment, tiers)
    if Tier.METRIC in tiers and not any(item.tier is Tier.METRIC for item in items):
        raise UsageError(f"{assignment.slug} has no score of a trained model: leave metric out of --tier")
    by_id = {item.id.casefold(): item for item in assignment.items}
    for word in only:
        item = by_id.get(word.strip().casefold())
        if item is None:
            near = did_you_mean(word.strip().upper(), [each.id for each in items])
            raise UsageError(f"'{word}' is no item of {assignment.slug}{near}")
        if item.id not in {each.id for each in items}:
            known = ", ".join(each.id for each in items)
            raise UsageError(f"item {item.id} is graded by the {item.tier} tier; this run grades {known}; see --tier")
    asked = {word.strip().casefold() for word in only}
    return tuple(item for item in items if not asked or item.id.casefold() in asked)


# From the file to a tree ----------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        known = [file.name for file in path.parent.glob("*.toml")]
        raise UsageError(f"{path}: there is no such file{did_you_mean(path.name, known) if known else ''}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}: line {line}: not UTF-8; save the file in that encoding") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # endless integers and endless brackets are no TOMLDecodeError
        what = re.sub(r"(.*) \(at line (\d+), column (\d+)\)", r"line \2, column \3: \1", str(error))
        raise UsageError(f"{path}: not TOML: {what}") from None


# From the tree to the words of the project ----------------------------------------------------------------------------


def _assignment(rubric: RubricTable, digest: str) -> Assignment:
    return Assignment(
        slug=rubric.slug,
        title=rubric.title,
        handout=rubric.handout,
        framework=rubric.framework,
        total=rubric.total,
        items=tuple(_item(item) for item in rubric.items),
        decisions=tuple(Decision(each.item, each.text) for each in rubric.decisions),
        files={key: name for key, name in rubric.files.model_dump().items() if name},
        late=_late(rubric.late),
        given=tuple(rubric.given),
        unchanged=tuple(rubric.unchanged),
        others=tuple(rubric.others),
        digest=digest,
    )


def _late(late: LateTable) -> LatePolicy:
    if late.points_per_hour is not None:
        return LatePolicy(late.points_per_hour, late.due, "hour", late.most_hours)
    return LatePolicy(late.points_per_minute or 0, late.due)


def _item(item: ItemTable) -> Item:
    return Item(
        id=item.id,
        title=item.title,
        points=item.points,
        kind=item.kind,
        tier=item.tier,
        section=item.section,
        names=tuple(item.names),
        depends=tuple(item.depends),
        criteria=tuple(Criterion(each.name, each.points, each.hint) for each in item.criteria),
        follow_through=item.follow_through,
        note=item.note,
        self_check=item.self_check,
        executed=item.executed,
        metric=_metric(item.metric) if item.metric else None,
    )


def _metric(metric: MetricTable) -> Metric:
    return Metric(**{**metric.model_dump(), "requires": tuple(metric.requires), "files": tuple(metric.files)})
