from __future__ import annotations

from pathlib import Path

import pytest

from graders.errors import UsageError
from graders.home import slugs
from graders.model import Tier
from graders.rubric import load_rubric, read_rubric, select, tiers_of
from tests.unit.test_rubric import GOOD, refused

QUESTION = GOOD[GOOD.index('id = "Q1"') : GOOD.index("[[decisions]]")]
SCORE = """\
id = "S1"
title = "Score"
points = 1
kind = "prediction"
tier = "metric"
section = "1"
depends = ["C1"]

[items.metric]
score = "accuracy"
model = "C1"
full = 0.69
none = 0.65
requires = ["C1.shape"]
settings = { conditional = false }

"""


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in SCORE
    path = tmp_path / "small.toml"
    path.write_text(GOOD.replace(QUESTION, SCORE.replace(old, new, 1)), encoding="utf-8")
    return path


def test_a_metric_is_read(tmp_path: Path) -> None:
    rubric = read_rubric(written(tmp_path))
    metric = rubric.item("S1").metric
    assert metric is not None
    assert (metric.score, metric.model, metric.full, metric.none, metric.tolerance) == ("accuracy", "C1", 0.69, 0.65, 0)
    assert (metric.requires, metric.settings) == (("C1.shape",), {"conditional": False})
    assert [item.id for item in select(rubric, [], (Tier.METRIC,))] == ["C1", "S1"]  # what it depends on comes with it
    assert [item.id for item in select(rubric, [])] == ["C1", "C2"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('score = "accuracy"', 'score = "acuracy"', "item S1: score 'acuracy' is unknown (did you mean 'accuracy'?)"),
        ("full = 0.69\n", "", "full and none must both stand there, and differ, or neither"),
        ("none = 0.65", "none = 0.69", "full and none must both stand there, and differ, or neither"),
        ("full = 0.69\nnone = 0.65\n", "", "an item with points asks for full and none"),
        ("none = 0.65", "none = 0.65\ntollerance = 1", "unknown key 'tollerance' (did you mean 'tolerance'?)"),
        ("none = 0.65", "none = 0.65\ntolerance = -1", "tolerance: input should be greater than or equal to 0"),
        ('model = "C1"', 'model = "C9"', "model of unknown item 'C9'"),
        ("requires", 'training = "samplng"\nrequires', "'samplng' is unknown (did you mean 'sampling'?)"),
        ('model = "C1"', 'model = "C1"\nencoder = "C9"', "encoder of unknown item 'C9'"),
        ('model = "C1"', 'model = "C1"\nscript = "train.py"', "script 'train.py' is not among `unchanged`"),
        ('"C1.shape"', '"C1.shap"', "'C1.shap' is no criterion of what S1 depends on (did you mean 'C1.shape'?)"),
        ('"C1.shape"', '"C2.shape"', "'C2.shape' is no criterion of what S1 depends on"),
        ("requires", 'claim = "C1.loss"\nrequires', "'C1.loss' is no criterion of what S1 depends on"),
        ('tier = "metric"', 'tier = "record"', "only an item of tier 'metric' has a metric, not one of 'record'"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    message = refused(written(tmp_path, old, new))
    assert told in message
    assert message.count("; ") == 0, "one mistake, one thing said"


def test_every_assignment_has_a_score_and_one_without_says_so(tmp_path: Path) -> None:
    assert all(any(item.metric for item in load_rubric(slug).items) for slug in slugs())
    path = tmp_path / "small.toml"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(UsageError, match="small has no score of a trained model"):
        select(read_rubric(path), [], tiers_of("metric"))


def test_manual_is_no_tier_of_a_run() -> None:
    assert tiers_of("metric, behaviour") == (Tier.BEHAVIOUR, Tier.METRIC)
    with pytest.raises(UsageError, match="'manual' is no tier of a run"):
        tiers_of("manual")
