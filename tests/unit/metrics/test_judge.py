from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graders.metrics.judge import claimed_in, disqualified, judged, measured, overclaimed
from graders.model import CriterionResult, Evidence, Experiment, Failure, Item, ItemResult, Metric, Tier, Verdict

METRIC = Metric("reconstruction", "vae", 0.69, 0.72, 0.005, "claim.vae", ("vae.skips", "losses.joint"))
ITEM = Item("score", "Score", 0.5, "prediction", Tier.METRIC, "1", depends=("vae", "losses", "claim"), metric=METRIC)
ACCURACY = replace(ITEM, metric=Metric("accuracy", "vae", 0.69, 0.65, 0.01))


def scores(value: float, scattered: float = 0.1, name: str = "net", failure: Failure | None = None) -> Experiment:
    control = np.arange(6) >= 4
    parts = {"score": np.where(control, 9.0, value), "ssim": np.where(control, scattered, 0.8), "control": control}
    return Experiment({"name": name}, parts, failure)


def evidence(*candidates: Experiment, how: str = "finished", failure: Failure | None = None) -> Evidence:
    found = {f"scores score {at}": one for at, one in enumerate(candidates)}
    return Evidence({**found, "ended": Experiment({"how": how, "seconds": 3.0}, failure=failure)})


def result(id_: str, **passed: bool) -> ItemResult:
    criteria = tuple(CriterionResult(name, one, 0.0, 0.0, "", "0.7", "") for name, one in passed.items())
    return ItemResult(id_, id_, Verdict.PASS, 0.0, 0.0, criteria)


@pytest.mark.parametrize(("value", "points", "verdict"), [
    (0.6, 0.5, "PASS"), (0.695, 0.5, "PASS"), (0.71, 0.25, "PARTIAL"), (0.7251, 0.0, "FAIL"), (5.0, 0.0, "FAIL"),
])  # fmt: skip
def test_points_are_read_off_the_scale(value: float, points: float, verdict: str) -> None:
    found = judged(ITEM, evidence(scores(value)), None)
    assert (found.points, found.verdict) == (pytest.approx(points), Verdict(verdict))
    assert f"measured {value:.4f} on 4 held-out images" in found.note
    assert sum(one.points for one in found.criteria) == found.points


def test_the_best_candidate_counts_and_which_it_was_is_told() -> None:
    best, _ = measured("score", METRIC, evidence(scores(0.8), scores(0.7, name="best.pt"), scores(0.75)))
    assert best is not None
    assert (best.value, best.name) == (0.7, "best.pt")
    metric = ACCURACY.metric
    assert metric is not None
    best, _ = measured("score", metric, evidence(scores(0.5), scores(0.7)))
    assert best is not None
    assert best.value == 0.7


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_never_scores(broken: float) -> None:
    one = scores(0.5)
    one.arrays["score"][0] = broken
    found = judged(ITEM, evidence(one), 0.5)
    assert found.points == 0
    assert found.verdict is Verdict.FAIL
    assert "no numbers" in found.note


def test_nothing_measured_never_scores() -> None:
    for nothing in (Evidence({}), evidence(), evidence(Experiment({"name": "net"}))):
        assert judged(ITEM, nothing, 0.5).points == 0


def test_a_crash_costs_the_points_and_what_may_be_ours_does_not() -> None:
    crash = judged(ITEM, evidence(how="failed", failure=Failure("ZeroDivisionError", "division by zero")), None)
    assert (crash.verdict, crash.points) == (Verdict.FAIL, 0)
    assert "the script ended in ZeroDivisionError: division by zero" in crash.note
    for kind in ("FileNotFoundError", "OutOfMemoryError", "URLError"):
        assert judged(ITEM, evidence(how="failed", failure=Failure(kind, "")), None).verdict is Verdict.MANUAL
    assert judged(ITEM, Evidence({}, Failure("timeout", "")), None).verdict is Verdict.MANUAL
    assert judged(ITEM, Evidence({}, fault="no GPU"), None).verdict is Verdict.FAULT


def test_a_crash_after_the_training_costs_nothing() -> None:
    found = judged(ITEM, evidence(scores(0.6), how="failed", failure=Failure("NameError", "plot")), None)
    assert found.verdict is Verdict.PASS
    assert "NameError: plot" in found.note
    low = judged(ITEM, evidence(scores(0.8), how="failed", failure=Failure("NameError", "plot")), None)
    assert low.verdict is Verdict.FAIL


def test_a_training_that_ended_early_by_what_may_be_our_doing_waits_unless_it_is_good_enough() -> None:
    lost = Failure("FileNotFoundError", "checkpoints/1.pt")
    assert judged(ITEM, evidence(scores(0.6), how="failed", failure=lost), None).verdict is Verdict.PASS
    waits = judged(ITEM, evidence(scores(0.8), how="failed", failure=lost), None)
    assert (waits.verdict, waits.points) == (Verdict.MANUAL, 0)
    assert "checkpoints/1.pt" in waits.note


def test_a_training_cut_short_by_our_budget_waits_unless_it_is_good_enough() -> None:
    assert judged(ITEM, evidence(scores(0.6), how="budget"), None).verdict is Verdict.PASS
    waits = judged(ITEM, evidence(scores(0.71), how="budget"), None)
    assert waits.verdict is Verdict.MANUAL
    assert "--budget" in waits.note
    assert judged(ITEM, evidence(how="budget"), None).verdict is Verdict.MANUAL


def test_a_copy_of_the_images_is_looked_at_by_a_person() -> None:
    found = judged(ITEM, evidence(scores(0.55, scattered=0.99)), None)
    assert found.verdict is Verdict.MANUAL
    assert "scattered pixels" in found.note


def test_a_claim_counts_nothing_and_is_flagged_where_it_is_too_good() -> None:
    best, _ = measured("score", METRIC, evidence(scores(0.73)))
    assert judged(ITEM, evidence(scores(0.73)), 0.6).points == 0
    assert overclaimed(METRIC, best, 0.6) == "claims 0.6000, measured is 0.7300"
    assert overclaimed(METRIC, best, 0.7251) == overclaimed(METRIC, best, 0.9) == overclaimed(METRIC, best, None) == ""
    metric = ACCURACY.metric
    assert metric is not None
    assert overclaimed(metric, best, 0.75) == "claims 75.00%, measured is 73.00%"
    assert overclaimed(metric, best, 0.739) == ""


def test_an_unmet_requirement_earns_nothing_and_an_unknown_one_waits() -> None:
    met = {"vae": result("vae", skips=True), "losses": result("losses", joint=True)}
    assert disqualified(ITEM, met) is None
    out = disqualified(ITEM, {**met, "vae": result("vae", skips=False)})
    assert out is not None
    assert (out.verdict, out.points) == (Verdict.FAIL, 0)
    assert "vae.skips is not met" in out.note
    fault = ItemResult("vae", "", Verdict.FAULT, 0, 0)
    for unknown in ({"vae": met["vae"]}, {**met, "vae": fault}, {**met, "losses": result("losses", other=True)}):
        out = disqualified(ITEM, unknown)
        assert out is not None
        assert out.verdict is Verdict.MANUAL


def test_a_claim_is_read_off_the_record() -> None:
    assert claimed_in(METRIC, {"claim": result("claim", vae=True)}) == 0.7
    assert claimed_in(METRIC, {"claim": result("claim", vae=False)}) is None
    assert claimed_in(METRIC, {}) is None
    percent = CriterionResult("vae", True, 0, 0, "", "70.10%", "")
    assert claimed_in(METRIC, {"claim": ItemResult("claim", "", Verdict.PASS, 0, 0, (percent,))}) == pytest.approx(
        0.701
    )
