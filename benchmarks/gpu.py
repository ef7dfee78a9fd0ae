"""All that needs a GPU, in stages: `python -m benchmarks.gpu STAGE... --data DATA` (docs/gpu-runner.md).

tests: tests/gpu. vae, cvae, acgan: the references of handout E, trained as they stand. colourization: its three
networks for 25 epochs. metric: the references through `graders grade --tier metric`. mosaics: the data set in files of
less than 64 MiB, for a machine that is sent no more at a time.

A call ends after --seconds, at the end of an epoch; exit status 75 says that the same call goes on. Figures and curves
go to --out, checkpoints to --work. DATA is what `graders data fetch` or `pack` wrote, or mosaics.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from benchmarks import machine, mosaics, resumable
from benchmarks.references import TRAININGS, curves, given
from graders.data import cifar10
from graders.errors import UsageError
from graders.home import home, reference_path
from graders.release import scripts_of

DONE, FAILED, WRONG_CALL, AGAIN = 0, 1, 2, 75
ROOT = Path(__file__).resolve().parent.parent
_COLOURS = ("PoolUpsampleNet", "ConvTransposeNet", "UNet")
_METRIC = ("vae", "acgan")


@dataclass(frozen=True)
class Call:
    """What was asked for on the command line, and until when a stage may take."""

    data: Path | None
    out: Path
    work: Path
    until: float
    epochs: int | None
    cpu: bool

    def left(self) -> float:
        """Return the seconds that are left."""
        return max(1.0, self.until - time.monotonic())


# Data -----------------------------------------------------------------------------------------------------------------


def images(call: Call) -> tuple[cifar10.Images, cifar10.Images]:
    """Return the data set, whichever way it came."""
    if call.data is None:
        raise UsageError("--data is needed; `graders data fetch cifar10 -o FOLDER` gets it")
    return mosaics.read(call.data) if mosaics.is_mosaics(call.data) else cifar10.read(call.data)


# Stages: each writes its figures and returns whether it is done -------------------------------------------------------


def training(call: Call, stage: str) -> int:
    """Train a reference of handout E as it stands, from its checkpoint on."""
    import torch

    one = TRAININGS[stage]
    work = call.work / stage
    work.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(reference_path(one.slug).parent / "given"))  # ssim.py, as students have it
    torch.manual_seed(0)
    text = reference_path(one.slug).read_text(encoding="utf-8")
    with (work / "log.txt").open("a", encoding="utf-8") as log:

        def tell(line: str) -> None:
            print(line, flush=True)
            print(line, file=log, flush=True)

        names = given(one, images(call), work, call.epochs)
        trained = resumable.train(text, names, work / "checkpoint.pt", call.left(), tell)
    score = float(trained.names[one.score])
    share = min(1.0, max(0.0, (score - one.none) / (one.full - one.none)))
    figures = {"score": score, "full points at": one.full, "none at": one.none, "points": share}
    so_far = {"epochs": trained.epochs, "of": trained.of, "seconds": trained.seconds, "finished": trained.finished}
    _write(call, stage, {**figures, **so_far, "curves": curves(trained.names)}, work)
    return DONE if trained.finished else AGAIN


def colourization(call: Call, stage: str) -> int:
    """Train the three networks of handout C by the reference's own script, one after the other."""
    work = call.work / stage
    work.mkdir(parents=True, exist_ok=True)
    packed = work / "cifar10.npz"
    if not packed.exists():
        train, test = images(call)
        np.savez(packed, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    script = reference_path("colourization").with_name("training.py")
    for network in _COLOURS:
        log = work / f"{network}.txt"
        if log.exists():
            continue
        words = ("--data", packed, "--epochs", call.epochs or 25, "--out", work, "--networks", network)
        begin = time.monotonic()
        run = _run([sys.executable, script, *words], call.left())
        if run is None:
            return AGAIN
        if run.returncode:
            raise RuntimeError(f"{network}: {run.stderr.strip().splitlines()[-1]}")
        log.write_text(f"{run.stdout}{time.monotonic() - begin:.1f} s\n", encoding="utf-8")
    _write(call, stage, {network: _colour_figures(work / f"{network}.txt") for network in _COLOURS}, work)
    return DONE


def _colour_figures(log: Path) -> dict[str, Any]:
    lines = re.findall(r"Loss: ([\d.]+), Val Loss: ([\d.]+), Val Acc: ([\d.]+)%", log.read_text(encoding="utf-8"))
    train, valid, accuracy = (list(map(float, column)) for column in zip(*lines, strict=True))
    return {
        "epochs": len(lines),
        "validation loss": valid[-1],
        "accuracy": accuracy[-1],
        "train": train,
        "valid": valid,
    }


def tests(call: Call, stage: str) -> int:
    """Run tests/gpu; a test that is skipped for want of a GPU fails."""
    report = call.work / "tests.xml"
    required = "" if call.cpu else os.environ.get("GRADERS_REQUIRE_GPU", "torch")
    words = [sys.executable, "-m", "pytest", "tests/gpu", "-rs", f"--junitxml={report}"]
    run = _run(words, call.left(), GRADERS_REQUIRE_GPU=required)
    if run is None:
        raise RuntimeError("tests/gpu: it did not end in time; give more --seconds")
    print(run.stdout, flush=True)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    differences = [dict(one.attrib) | {"test": case.attrib["name"]} for case in suite for one in case.iter("property")]
    _write(call, stage, {**counts, "measured": differences}, None)
    return FAILED if run.returncode else DONE


def metric(call: Call, stage: str) -> int:
    """Have the references of handout E graded by the metric tier; anything but full points is a failure."""
    for place, slug in enumerate(_METRIC):
        handed_in, out = call.work / "submissions" / slug / "reference", call.work / stage / slug
        handed_in.mkdir(parents=True, exist_ok=True)
        beside = {path.name: path.read_text("utf-8") for path in reference_path(slug).parent.glob("given/*.py")}
        for name, text in (scripts_of(reference_path(slug).read_text(encoding="utf-8")) | beside).items():
            (handed_in / name).write_text(text, encoding="utf-8")
        budget = call.left() / (len(_METRIC) - place)
        words = ("--tier", "metric", "--device", "cpu" if call.cpu else "cuda", "--budget", f"{budget:.0f}s")
        command = [sys.executable, "-m", "graders.cli", "grade", slug, handed_in, "-o", out, *words, "--jobs", 1]
        run = _run([*command, *(("--data", call.data) if call.data else ())], call.left() + 60)
        if run is None:
            return AGAIN
        print(run.stdout, run.stderr, flush=True)
        if run.returncode:
            raise RuntimeError(f"metric tier of {slug}: exit status {run.returncode}: {run.stderr.strip()[-300:]}")
        _write(call, f"{stage}-{slug}", _full_points(slug, out / "students" / "reference" / "result.json"), None)
    return DONE


def _full_points(slug: str, result: Path) -> dict[str, Any]:
    """Return the points by item; raises RuntimeError where the reference has not all that the metric tier gives."""
    items = json.loads(result.read_text(encoding="utf-8"))["items"]
    judged = {item["id"]: item for item in items if item["verdict"] != "MANUAL"}
    if lost := [f"{name}: {item['verdict']}" for name, item in judged.items() if item["verdict"] != "PASS"]:
        raise RuntimeError(f"metric tier of {slug}: the reference has not full points: {', '.join(lost)}")
    if not judged:
        raise RuntimeError(f"metric tier of {slug}: nothing was judged")
    return {name: item["points"] for name, item in judged.items()}


def shards(call: Call, stage: str) -> int:
    """Write the data set as mosaics into the work folder."""
    images(call)
    assert call.data is not None
    for path in mosaics.write(call.data, call.work / stage):
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    return DONE


STAGES: dict[str, Callable[[Call, str], int]] = {
    "tests": tests,
    **dict.fromkeys(TRAININGS, training),
    "colourization": colourization,
    "metric": metric,
    "mosaics": shards,
}


def _run(words: list[Any], seconds: float, **environment: str) -> subprocess.CompletedProcess[str] | None:
    """Run a command from the root of the repository; return None where it took too long."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GRADERS_HOME": str(home()), **environment}
    command = [str(Path(word).resolve()) if isinstance(word, Path) else str(word) for word in words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=ROOT, env=env, check=False)
    except subprocess.TimeoutExpired:
        return None


# Figures --------------------------------------------------------------------------------------------------------------


def _write(call: Call, stage: str, figures: Mapping[str, Any], pictures: Path | None) -> None:
    """Write the figures of a stage with the command and the machine, copy its pictures, and renew the summary."""
    call.out.mkdir(parents=True, exist_ok=True)
    document = {"command": " ".join(["python -m benchmarks.gpu", *sys.argv[1:]]), "machine": _machine(), **figures}
    (call.out / f"{stage}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for picture in sorted(pictures.rglob("*.png")) if pictures else ():
        name = "-".join(picture.relative_to(pictures).parts) if pictures else picture.name
        shutil.copyfile(picture, call.out / f"{stage}-{name}")
    (call.out / "summary.md").write_text(_summary(call.out), encoding="utf-8")


def _machine() -> dict[str, Any]:
    import torch

    there = torch.cuda.is_available()
    gpu = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if there else {"gpu": None}
    return {**machine.described(), **gpu}


def _summary(folder: Path) -> str:
    """Return the plain figures of all stages as a table."""
    lines = ["| stage | figure | value |", "|---|---|---|"]
    for file in sorted(folder.glob("*.json")):
        for name, value in _plain(json.loads(file.read_text(encoding="utf-8"))):
            lines.append(f"| {file.stem} | {name} | {f'{value:.4g}' if isinstance(value, float) else value} |")
    return "\n".join(lines) + "\n"


def _plain(document: Mapping[str, Any], of: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and name not in ("machine", "curves"):
            yield from _plain(value, f"{of}{name} ")
        elif not isinstance(value, (dict, list)):
            yield f"{of}{name}", value


def main(words: list[str] | None = None) -> int:
    """Run the stages, one after the other while there is time; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "gpu")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "gpu-work", help="for checkpoints")
    parser.add_argument("--seconds", type=float, default=540, help="after which no epoch is begun")
    parser.add_argument("--epochs", type=int, help="the references' own by default")
    parser.add_argument("--cpu", action="store_true", help="to try it without a GPU: needs --out and --work")
    asked = parser.parse_args(words)
    os.environ["MPLBACKEND"] = "agg"
    call = Call(asked.data, asked.out, asked.work, time.monotonic() + asked.seconds, asked.epochs, asked.cpu)
    try:
        _examine(call, parser)
        return next((status for stage in asked.stages if (status := STAGES[stage](call, stage)) != DONE), DONE)
    except (UsageError, RuntimeError) as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return WRONG_CALL if isinstance(error, UsageError) else FAILED


def _examine(call: Call, parser: argparse.ArgumentParser) -> None:
    """Refuse what would put figures of the processor where those of a GPU belong."""
    import torch

    call.work.mkdir(parents=True, exist_ok=True)
    if call.cpu and call.out == parser.get_default("out"):
        raise UsageError("--cpu: give another --out; benchmarks/results/gpu is for figures of a GPU")
    if not call.cpu and not torch.cuda.is_available():
        raise UsageError("PyTorch sees no GPU here; --cpu --out FOLDER tries it on the processor")


if __name__ == "__main__":
    sys.exit(main())
