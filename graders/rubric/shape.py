"""The shape of a rubric file: its tables, keys, types and words, and what is said where a file departs from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from graders.errors import did_you_mean
from graders.model import Tier
from graders.rubric.places import Loc, Wrong


def _moment(text: str) -> str:
    """Check that a deadline names a moment: without its time zone it names two dozen."""
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("the time zone is missing, as in '2023-04-03T23:59:00+08:00'")
    return text


Kind = Literal["code", "question", "prediction", "bonus"]
Score = Literal["reconstruction", "accuracy", "colours", "denoised", "pixels"]
Training = Literal["", "plain", "sampling"]
Text = Annotated[str, StringConstraints(min_length=1)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Points = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """A TOML table: no key but the known ones, no value of another type, no infinity."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class CriterionTable(Table):
    """A criterion of an item."""

    name: Name
    points: Points
    hint: Text


class MetricTable(Table):
    """[items.metric], of an item of the metric tier."""

    score: Score
    model: Id
    full: float | None = None
    none: float | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    claim: str = ""
    requires: list[Text] = []
    settings: dict[str, bool | int | float | str] = {}
    encoder: str = ""
    script: str = ""
    training: Training = ""
    files: list[Text] = []

    @model_validator(mode="after")
    def _both_ends(self) -> Self:
        """Check that a scale has two ends, or none."""
        if (self.full is None) != (self.none is None) or (self.full is not None and self.full == self.none):
            raise ValueError("full and none must both stand there, and differ, or neither")
        return self


class ItemTable(Table):
    """One of [[items]]."""

    id: Id
    title: Text
    points: Points
    kind: Kind
    tier: Annotated[Tier, Field(strict=False)]  # TOML has words, not members of our enumeration
    section: Text
    names: list[Name] = []
    depends: list[str] = []
    criteria: list[CriterionTable] = []
    follow_through: Share = 1.0
    note: str = ""
    self_check: bool = True
    metric: MetricTable | None = None
    executed: bool = False


class DecisionTable(Table):
    """One of [[decisions]]."""

    item: str
    text: Text


class FilesTable(Table):
    """[files]: what the handout calls the files that are handed in."""

    code: Text
    report: str = ""


class LateTable(Table):
    """[late]."""

    points_per_minute: Points | None = None
    points_per_hour: Points | None = None
    most_hours: Annotated[int, Field(ge=0)] | None = None
    due: Annotated[str, AfterValidator(_moment)]

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        """Check that points are taken by the minute or by the hour, and hours counted only with the latter."""
        if (self.points_per_minute is None) == (self.points_per_hour is None):
            raise ValueError("one of points_per_minute and points_per_hour must stand there")
        if self.most_hours is not None and self.points_per_hour is None:
            raise ValueError("most_hours goes with points_per_hour")
        return self


class RubricTable(Table):
    """The whole file."""

    version: Literal[1] = Field(alias="schema")  # pydantic has a `schema` of its own
    slug: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Text
    handout: Text
    framework: Literal["tensorflow", "torch"]
    total: Points
    given: list[Name] = []
    unchanged: list[Text] = []
    others: list[Text] = []
    files: FilesTable
    late: LateTable
    items: Annotated[list[ItemTable], Field(min_length=1)]
    decisions: list[DecisionTable] = []


# The names along a location, without the indices, give the table that it is in.
_TABLES: dict[tuple[str, ...], type[Table]] = {
    (): RubricTable,
    ("files",): FilesTable,
    ("late",): LateTable,
    ("items",): ItemTable,
    ("items", "criteria"): CriterionTable,
    ("items", "metric"): MetricTable,
    ("decisions",): DecisionTable,
}
_WORDS = {
    "kind": get_args(Kind),
    "tier": tuple(Tier),
    "framework": ("tensorflow", "torch"),
    "score": get_args(Score),
    "training": get_args(Training)[1:],
}


def of_shape(error: ValidationError) -> list[Wrong]:
    """Return what pydantic found wrong, in the words of this project."""
    wrong, mistyped = [], set()
    for detail in error.errors():
        loc, key = detail["loc"], str(detail["loc"][-1])
        if detail["type"] == "extra_forbidden":
            near = did_you_mean(key, _keys(loc))
            mistyped |= {(*loc[:-1], known) for known in _keys(loc) if f"'{known}'" in near}
            wrong.append(Wrong(loc, f"unknown key '{key}'{near}"))
        else:
            wrong.append(Wrong(loc, _told(detail["type"], loc, detail["msg"], detail["input"])))
    # A key that is only mistyped is not missing as well.
    return [each for each in wrong if not (each.loc in mistyped and each.text.endswith("is missing"))]


def _keys(loc: Loc) -> list[str]:
    table = _TABLES[tuple(part for part in loc[:-1] if isinstance(part, str))]
    return [info.alias or name for name, info in table.model_fields.items()]


def _told(kind: str, loc: Loc, message: str, value: object) -> str:
    named = [str(part) for part in loc if isinstance(part, str)]
    if kind == "missing":
        return f"key '{loc[-1]}' is missing"
    if kind in ("enum", "literal_error") and isinstance(value, str) and named[-1] in _WORDS:
        return f"{named[-1]} '{value}' is unknown{did_you_mean(value, _WORDS[named[-1]])}"
    shown = f"{value!r:.60}" if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    message = message.removeprefix("Value error, ")  # ours
    return f"{named[-1]}: {message[0].lower()}{message[1:]}, not {shown}"
