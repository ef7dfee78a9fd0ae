"""All that needs a GPU, in stages: `python -m benchmarks.gpu STAGE... --data DATA` (docs/gpu-runner.md).

tests: tests/gpu. vae, cvae, acgan: the references of handout E, trained as they stand. colourization: its three
networks for 25 epochs. metric: the references through `graders grade --tier metric`. mosaics: the data set in files of
less than 64 MiB, for a machine that is sent no more at a time; needs no GPU.

A call ends after --seconds, at the end of an epoch; exit status 75 says that the same call goes on. Figures and curves
go to --out, checkpoints to --work. DATA is what `graders data fetch` or `pack` wrote, or mosaics.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import gpu_metric, mosaics, resumable
from benchmarks.gpu_call import (
    AGAIN,
    DONE,
    FAILED,
    GRADING,
    ROOT,
    TRAINING,
    WRONG_CALL,
    Call,
    images,
    last_line,
    need,
    packed,
    run,
    write,
)
from benchmarks.references import TRAININGS, curves, given
from graders.data import cifar10
from graders.errors import UsageError
from graders.home import reference_path

_COLOURS = ("PoolUpsampleNet", "ConvTransposeNet", "UNet")
_OUT = ROOT / "benchmarks" / "results" / "gpu"
_TESTING = {**GRADING, "torch": "torch", "pytest": "pytest"}


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

        data = images(call)
        names = given(one, data, work, call.epochs)
        checkpoint = resumable.Checkpoint(work / "checkpoint.pt", _digest(data))
        trained = resumable.train(text, names, checkpoint, call.left(), tell)
    score = float(trained.names[one.score])
    share = min(1.0, max(0.0, (score - one.none) / (one.full - one.none)))
    figures = {"score": score, "full points at": one.full, "none at": one.none, "points": share}
    so_far = {"epochs": trained.epochs, "of": trained.of, "seconds": trained.seconds, "finished": trained.finished}
    told = {**figures, **so_far, "curves": curves(trained.names)}
    write(call, stage, told, [work / "log.txt", *sorted(work.glob("*.png"))])
    (work / "figures.json").write_text(json.dumps(told), encoding="utf-8")
    return DONE if trained.finished else AGAIN


def _digest(data: tuple[cifar10.Images, cifar10.Images]) -> str:
    return " ".join(f"{zlib.crc32(array.tobytes()):08x}" for part in data for array in (part.images, part.labels))


def colourization(call: Call, stage: str) -> int:
    """Train the three networks of handout C by the reference's own script, one after the other."""
    work = call.work / stage
    work.mkdir(parents=True, exist_ok=True)
    data, epochs = packed(call), call.epochs or 25
    script = reference_path("colourization").with_name("training.py")
    logs = {network: work / f"{network}-{epochs}-epochs.txt" for network in _COLOURS}
    for place, (network, log) in enumerate((network, log) for network, log in logs.items() if not log.exists()):
        words = ("--data", data, "--epochs", epochs, "--out", work, "--networks", network)
        begin = time.monotonic()
        done = run([sys.executable, script, *words], call.left())
        if done is None and place:
            return AGAIN
        if done is None:
            raise RuntimeError(f"{network}: it did not end in time; give more --seconds")
        if done.returncode:
            raise RuntimeError(f"{network}: {last_line(done.stderr)}")
        log.write_text(f"{done.stdout}{time.monotonic() - begin:.1f} s\n", encoding="utf-8")
    figures = {network: _colour_figures(log) for network, log in logs.items()}
    write(call, stage, figures, sorted(work.rglob("*.png")))
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
    report.unlink(missing_ok=True)
    required = "" if call.cpu else os.environ.get("GRADERS_REQUIRE_GPU", "torch")
    words = [sys.executable, "-m", "pytest", "tests/gpu", "-rs", f"--junitxml={report}"]
    done = run(words, call.left(), GRADERS_REQUIRE_GPU=required)
    if done is None:
        raise RuntimeError("tests/gpu: it did not end in time; give more --seconds")
    print(done.stdout, flush=True)
    suite = ElementTree.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        raise RuntimeError(f"tests/gpu: exit status {done.returncode}: {last_line(done.stdout + done.stderr)}")
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    differences = [dict(one.attrib) | {"test": case.attrib["name"]} for case in suite for one in case.iter("property")]
    write(call, stage, {**counts, "measured": differences})
    return FAILED if done.returncode else DONE


def shards(call: Call, stage: str) -> int:
    """Write the data set as mosaics into the work folder."""
    for path in mosaics.write(call.given(), call.work / stage):
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    return DONE


STAGES: dict[str, Callable[[Call, str], int]] = {
    "tests": tests,
    **dict.fromkeys(TRAININGS, training),
    "colourization": colourization,
    "metric": gpu_metric.metric,
    "mosaics": shards,
}
NEEDS: dict[str, Mapping[str, str]] = {
    "tests": _TESTING,
    **dict.fromkeys((*TRAININGS, "colourization"), TRAINING),
    "metric": {**GRADING, "torch": "torch"},
    "mosaics": {"PIL": "pillow"},
}


def main(words: list[str] | None = None) -> int:
    """Run the stages, one after the other while there is time; return the exit status."""
    begin = time.monotonic()
    asked = _parser().parse_args(words)
    os.environ["MPLBACKEND"] = "agg"
    data, out, work = (path and path.resolve() for path in (asked.data, asked.out, asked.work))
    only = tuple(filter(None, asked.only.split(",")))
    until = begin + asked.seconds
    call = Call(data, out, work, asked.seconds, until, asked.epochs, asked.cpu, only, asked.weights)
    try:
        _examine(call, asked.stages)
        return next((status for stage in asked.stages if (status := STAGES[stage](call, stage)) != DONE), DONE)
    except (UsageError, RuntimeError) as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return WRONG_CALL if isinstance(error, UsageError) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("stages", nargs="+", choices=STAGES, metavar="STAGE", help=", ".join(STAGES))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "gpu-work", help="for checkpoints")
    parser.add_argument("--seconds", type=float, default=540, help="after which no epoch is begun")
    parser.add_argument("--only", default="", help="metric: items or assignments; those of handout E by default")
    parser.add_argument("--weights", action="store_true", help="metric: hand in what vae, cvae and acgan trained")
    parser.add_argument("--epochs", type=int, help="to try it: the references' own by default; needs --out")
    parser.add_argument("--cpu", action="store_true", help="to try it without a GPU: needs --out")
    return parser


def _examine(call: Call, stages: list[str]) -> None:
    """Refuse what cannot be done here, and what would put other figures where those of a GPU belong."""
    for stage in stages:
        need(stage, NEEDS[stage])
    if "metric" in stages and len(stages) > 1:
        raise UsageError("metric: ask for it in a call of its own, since its trainings want the whole time of a call")
    call.work.mkdir(parents=True, exist_ok=True)
    if stages == ["mosaics"]:
        return
    import torch

    if (call.cpu or call.epochs) and call.out == _OUT:
        raise UsageError("--cpu, --epochs: give another --out; benchmarks/results/gpu is for a GPU's full trainings")
    if not call.cpu and not torch.cuda.is_available():
        raise UsageError("PyTorch sees no GPU here; --cpu --out FOLDER tries it on the processor")


if __name__ == "__main__":
    sys.exit(main())
