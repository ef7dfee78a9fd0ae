"""A made-up class with the real rubric: about 20 students and every verdict. The same class every time."""

from __future__ import annotations

import hashlib
import random
import tomllib
from dataclasses import replace
from pathlib import Path

from graders.model import (
    Assignment,
    ClassReport,
    Criterion,
    CriterionResult,
    Decision,
    Item,
    ItemResult,
    LatePolicy,
    Report,
    SourceFile,
    Submission,
    Tier,
    Verdict,
)

RUBRIC = Path(__file__).parents[3] / "rubrics" / "pixelcnn.toml"

PROVENANCE = {
    "graders": "0.1.0",
    "isolation": {"level": "namespaces", "landlock": True, "seccomp": True},
    "seed": 811274,
    "versions": {"python": "3.11.9", "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"},
    "rubric": "5f2a" * 16,
    "reference": "c04e" * 16,
}

NAMES = (
    "Ada Lovelace",
    "Alan Turing",
    "Barbara Liskov",
    "Chan Tai Man 陳大文",
    "Claude Shannon",
    "Donald Knuth",
    "Edsger Dijkstra",
    "Frances Allen",
    "Grace Hopper",
    "Hedy Lamarr",
    "Jürgen Müller",
    "Katherine Johnson",
    "Leslie Lamport",
    "Margaret Hamilton",
    "Niklaus Wirth",
    "Ólafur Þórðarson",
    "Radia Perlman",
    "Shafi Goldwasser",
    "Tim Berners-Lee",
    "Yoshua Bengio",
)

FOUND = {
    "causality": "output (3, 4) sees 6 pixels to its right",
    "padding": "1 row at the top and 1 at the bottom",
    "initializer": "standard deviation 0.0498 ± 0.002, mean 0.00",
    "values": "off by up to 1.71 at output (0, 2, 3, 1)",
    "shape": "(2, 7, 9, 10)",
}


def assignment() -> Assignment:
    raw = tomllib.loads(RUBRIC.read_text())
    return Assignment(
        slug=raw["slug"],
        title=raw["title"],
        handout=raw["handout"],
        framework=raw["framework"],
        total=raw["total"],
        items=tuple(_item(entry) for entry in raw["items"]),
        decisions=tuple(Decision(**entry) for entry in raw["decisions"]),
        files=raw["files"],
        late=LatePolicy(raw["late"]["points_per_minute"], raw["late"]["due"]),
        given=tuple(raw["given"]),
        digest="5f2a" * 16,
    )


def _item(entry: dict) -> Item:
    criteria = tuple(Criterion(**criterion) for criterion in entry.get("criteria", []))
    names, depends = tuple(entry.get("names", [])), tuple(entry.get("depends", []))
    plain = {key: entry[key] for key in ("id", "title", "points", "kind", "section")}
    tier = Tier(entry["tier"])
    return Item(**plain, tier=tier, names=names, depends=depends, criteria=criteria, note=entry.get("note", ""))


def judged(item: Item, lost: set[str] | None = None, **more: object) -> ItemResult:
    """The result of an item that loses the named criteria."""
    lost = lost or set()
    criteria = tuple(_criterion(criterion, criterion.name not in lost) for criterion in item.criteria)
    earned = sum(criterion.points for criterion in criteria)
    verdict = Verdict.PASS if not lost else Verdict.PARTIAL if earned else Verdict.FAIL
    result = ItemResult(item.id, item.title, verdict, earned, item.points, criteria, seconds=0.412345678)
    return replace(result, **more)  # type: ignore[arg-type]


def _criterion(criterion: Criterion, passed: bool) -> CriterionResult:
    found = "as expected" if passed else FOUND.get(criterion.name, "something else")
    earned = criterion.points if passed else 0.0
    return CriterionResult(
        criterion.name, passed, earned, criterion.points, "what the handout says", found, criterion.hint
    )


def failed(item: Item, note: str) -> ItemResult:
    return judged(item, {criterion.name for criterion in item.criteria}, note=note)


def unjudged(item: Item, verdict: Verdict, note: str = "") -> ItemResult:
    return ItemResult(item.id, item.title, verdict, 0.0, item.points, note=note or item.note)


def report(name: str, results: dict[str, ItemResult], problems: tuple[str, ...] = (), number: int = 0) -> Report:
    """The report of one student: the given results, right elsewhere."""
    asked = assignment()
    right = {item.id: judged(item) for item in asked.items if item.tier is Tier.BEHAVIOUR}
    waiting = {item.id: unjudged(item, Verdict.MANUAL) for item in asked.items if item.tier is not Tier.BEHAVIOUR}
    ready = right | waiting | results
    digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()
    file = SourceFile("autoregressive_model.ipynb", digest, 48_211)
    who = Submission(f"2023{4000 + number}", name, (file,), problems)
    return Report(who, asked, tuple(ready[item.id] for item in asked.items), PROVENANCE)


def sample_class(students: int = len(NAMES), fault: bool = False) -> ClassReport:
    """The class; with `fault` one item of one student could not be judged."""
    chance = random.Random(7)
    reports = [_student(name, number, chance) for number, name in enumerate(NAMES[:students])]
    if fault:
        lost = unjudged(assignment().item("C5"), Verdict.FAULT, "the zygote ended without a word (signal 9)")
        reports[2] = report(NAMES[2], {"C5": lost}, number=2)
    return ClassReport(assignment(), tuple(reports), PROVENANCE, 41.27)


def _student(name: str, number: int, chance: random.Random) -> Report:
    asked = assignment()
    items = {item.id: item for item in asked.items if item.tier is Tier.BEHAVIOUR}
    if number in (5, 11):
        problem = "hw.ipynb: not JSON (line 1, column 1); it was left out"
        results = {key: unjudged(item, Verdict.MISSING, "still as handed out") for key, item in items.items()}
        return report(name, results, (problem,) if number == 5 else (), number)
    results = {}
    if number % 3 == 0:
        results["C3"] = judged(items["C3"], {"causality", "padding", "values"})
        results["C6"] = judged(items["C6"], follow_through=True)
    if number % 4 == 1:
        results["C7"] = judged(items["C7"], set(chance.sample(["causality", "values", "parameters", "shape"], 2)))
    if number % 5 == 2:
        results["C4"] = judged(items["C4"], {"initializer"}, output="building\nfilters: 5\n")
    if number == 7:
        results["C1"] = failed(items["C1"], "stopped after 10 s: the code did not come to an end (cell 4, line 12)")
        results["C2"] = unjudged(items["C2"], Verdict.BLOCKED, "it builds on C1, which did not run")
    if number == 16:
        results["C7"] = unjudged(items["C7"], Verdict.MISSING, "no class AutoregressiveModel was found")
    return report(name, results, (), number)
