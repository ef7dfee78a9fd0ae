"""What a studio makes of what children say: each test plays a child that may lie, through a nursery of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from graders.data import cifar10
from graders.engine.studio import Studio, Wanted, budget_seconds
from graders.errors import Fault, UsageError
from graders.execute.layout import unpacked
from graders.home import reference_path
from graders.metrics.held import Held, held
from graders.model import Evidence, Experiment, Failure, SourceFile, Submission
from graders.notebook import cut_slice, read_program
from graders.probes import wire
from graders.release import handed_out, scripts_of
from graders.rubric import load_rubric
from graders.sandbox import frames
from graders.sandbox.fork import Ended
from graders.sandbox.limits import Limits
from graders.store import Store

SCRIPT = "import torch\n\nconditional = False\n\n\nclass VAE(torch.nn.Module):\n    pass\n\n\nnet = VAE()\n"
Say = Callable[..., None]
RUBRIC = load_rubric("vae")


class Child:
    """A nursery whose every child plays a part: a function of `say(header, blob)` and of what fetches the inputs."""

    def __init__(self, part: Callable[[Say, Callable[[], dict[str, Any]]], None]) -> None:
        self.part, self.level, self.limits, self.orders = part, "none", Limits(), []
        self.files: list[dict[str, bytes]] = []
        self.ended, self.broken = Ended("ended"), ""

    def run(self, order: Mapping[str, Any], blob: bytes, say: Say, equipment: Any, reins: Any) -> tuple[Ended, str]:
        self.orders.append(order)
        self.files.append(dict(unpacked(order["files"], blob)))
        with socket.socket(fileno=socket.dup(equipment.descriptors[0])) as theirs:

            def fetch() -> dict[str, Any]:
                theirs.settimeout(5)
                received = frames.receive(theirs, 1 << 30)
                assert received is not None
                return load(received[1])

            self.part(say, fetch)
        return self.ended, self.broken


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 20, 20, seed=3)
    return folder


@pytest.fixture
def measure(data: Path, tmp_path: Path) -> Iterator[Callable[..., tuple[Evidence, str, tuple[str, ...]]]]:
    store = Store(tmp_path / "evidence.sqlite")
    with held("vae", data, 1, 4) as kept:

        def run(child: Child, item: str = "vae_score", **more: Any) -> tuple[Evidence, str, tuple[str, ...]]:
            studio = Studio(RUBRIC, store, child, 1, {}, kept, budget=5.0)  # type: ignore[arg-type] # stands in for one
            return studio.measure(wanted(**more), RUBRIC.item(item))

        yield run
    store.close()


def wanted(script: str = SCRIPT, weights: Mapping[str, bytes] | None = None) -> Wanted:
    files = [SourceFile("a9/A9_vae.py", "0", len(script), script)]
    files += [SourceFile(name, name, len(content)) for name, content in (weights or {}).items()]
    submission = Submission("adams", "adams", tuple(files))
    program = read_program(submission)
    names = {item.id: item.names for item in RUBRIC.items if item.names}
    slices = {name: cut_slice(program, names, name) for name in ("vae", "cvae")}
    return Wanted(submission, program, slices, lambda names: {name: (weights or {})[name] for name in names})


def outputs(say: Say, made: np.ndarray, start: int = 0, kind: str = "outputs", item: str = "vae_score") -> None:
    values = {"item": item, "candidate": 0, "name": "net", "start": start}
    say(*wire.pack(kind, Experiment(values, {"outputs": made.astype(np.float32)})))


def trained(say: Say, how: str = "finished") -> None:
    say({"begun": True}, b"")
    say({"trained": {"how": how, "seconds": 2.0}}, b"")


def grey(count: int) -> np.ndarray:
    return np.full((count, 3, 32, 32), 0.5)


def test_raw_outputs_are_scored_here(measure: Callable[..., Any]) -> None:
    def honest(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        say({"begun": True}, b"")
        outputs(say, grey(4), kind="curve")
        trained(say)
        inputs = fetch()["inputs"]
        assert inputs.shape == (32, 32, 32, 3)
        outputs(say, grey(32))

    evidence, key, notes = measure(Child(honest))
    one = evidence.experiments["scores vae_score 0"]
    assert key
    assert not notes
    assert np.isfinite(one.arrays["score"]).all()
    assert one.arrays["control"].sum() == 16
    assert one.arrays["bce"] == pytest.approx(np.log(2))
    assert len(evidence.experiments["curve vae_score"].arrays["score"]) == 1
    assert evidence.experiments["pictures vae_score"].arrays["shown"].shape[0] == 2


def test_a_training_is_made_once(measure: Callable[..., Any]) -> None:
    child = Child(lambda say, fetch: (trained(say), outputs(say, grey(len(fetch()["inputs"])))))  # type: ignore[func-returns-value]
    first, again = measure(child), measure(child)
    assert len(child.orders) == 1
    assert first[1] == again[1]
    assert measure(child, script=SCRIPT + "# more\n")[1] != first[1]
    assert measure(child, item="cvae_score")[1] != first[1]  # its flag is set
    assert [order["cells"][0][1].count("conditional = True") for order in child.orders] == [0, 0, 1]
    assert child.orders[0]["cells"][0][0] == "A9_vae.py"


def test_a_fault_is_not_kept(measure: Callable[..., Any]) -> None:
    def lost(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        raise Fault("the child was lost")

    child = Child(lost)
    for _ in range(2):
        evidence, key, _ = measure(child)
        assert (evidence.fault, key) == ("the child was lost", "")
    assert len(child.orders) == 2
    never = Child(lambda say, fetch: None)
    never.ended = Ended("ended", 1, output="no CUDA\n")
    assert measure(never)[0].fault == "the training could not begin: no CUDA"


def test_a_module_that_is_not_here_is_our_fault_and_one_of_no_name_is_not(measure: Callable[..., Any]) -> None:
    def lacking(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        say({"begun": True}, b"")
        failure = {"kind": "ModuleNotFoundError", "message": "No module named 'numba'", "where": ""}
        say({"trained": {"how": "failed", "seconds": 0.1, "failure": failure}}, b"")

    assert "numba" in measure(Child(lacking), script="import numba\n" + SCRIPT)[0].fault
    assert not measure(Child(lacking))[0].fault  # it imports no such thing: a lie


@pytest.mark.parametrize(
    "part",
    [
        lambda say: outputs(say, grey(32), start=1),
        lambda say: outputs(say, grey(16)),
        lambda say: outputs(say, np.full((32, 3, 32, 32), np.nan)),
        lambda say: outputs(say, grey(32)[:, :1]),
        lambda say: outputs(say, grey(32) * 9),
        lambda say: say(
            *wire.pack("outputs", Experiment({"item": "vae_score", "candidate": 0, "start": 0, "name": 3}))
        ),
        lambda say: say({"experiment": "outputs", "values": {"item": ["vae_score"]}, "failure": None}, b"\0" * 9),
        lambda say: outputs(say, grey(32), item=["vae_score"]),  # type: ignore[arg-type] # a lie
        lambda say: outputs(say, np.full((32, 3, 32, 32), np.inf)),
        lambda say: say({"trained": {"how": ["PASS"], "seconds": "1"}}, b""),
        lambda say: outputs(say, grey(32), start=10**400),
        lambda say: outputs(say, np.zeros((32, 3, 32, 32), np.int8)[:, :, :0]),
    ],
)
def test_a_lying_child_gets_no_score(measure: Callable[..., Any], part: Callable[[Say], None]) -> None:
    def lie(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        trained(say)
        part(say)

    evidence, _, _ = measure(Child(lie))
    for name, one in evidence.experiments.items():
        if name.startswith("scores"):
            assert one.failure or not np.isfinite(one.arrays["score"]).all()


@pytest.mark.parametrize("seconds", [10**400, float("nan"), float("inf"), True, None, [1.0]])
def test_a_word_on_the_end_that_is_none_breaks_nothing(measure: Callable[..., Any], seconds: object) -> None:
    def lie(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        say({"begun": True}, b"")
        say({"trained": {"how": "finished", "seconds": seconds, "failure": {"kind": 3, "message": ["x"]}}}, b"")

    evidence, _, _ = measure(Child(lie))
    ended = evidence.experiments["ended"]
    assert ended.values["seconds"] == 0.0
    assert ended.failure == Failure("3", "['x']", "")


def test_a_child_that_only_says_that_it_is_done_has_measured_nothing(measure: Callable[..., Any]) -> None:
    evidence, _, _ = measure(Child(lambda say, fetch: say({"begun": True}, b"")))  # its "done" ends the conversation
    assert not evidence.experiments
    assert evidence.failure is None


def test_outputs_before_the_inputs_are_handed_out_count_nothing(measure: Callable[..., Any]) -> None:
    def early(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        say({"begun": True}, b"")
        outputs(say, grey(32))

    evidence, _, _ = measure(Child(early))
    assert not any(name.startswith("scores") for name in evidence.experiments)


def test_the_first_answer_counts(measure: Callable[..., Any]) -> None:
    def twice(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        trained(say)
        copied = fetch()["inputs"].transpose(0, 3, 1, 2) / 255
        outputs(say, grey(32))
        outputs(say, copied)

    evidence, _, _ = measure(Child(twice))
    assert evidence.experiments["scores vae_score 0"].arrays["mse"].min() > 0


def test_weights_that_load_are_scored_and_others_make_room_for_a_training(measure: Callable[..., Any]) -> None:
    def part(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        if not child.orders[-1]["weights"]:
            trained(say)
            outputs(say, grey(len(fetch()["inputs"])))
            return
        say({"begun": True}, b"")
        failure = {"kind": "weights", "message": "best.pt: RuntimeError: size mismatch", "where": ""}
        say({"trained": {"how": "failed", "seconds": 0.1, "failure": failure}}, b"")

    child = Child(part)
    evidence, _, notes = measure(child, weights={"best.pt": b"123", "report.pdf": b"1"})
    assert [order["weights"] for order in child.orders] == [["best.pt"], []]
    assert child.orders[0]["cells"] == []
    assert child.orders[0]["targets"][0]["calls"] == ["VAE()"]
    assert "scores vae_score 0" in evidence.experiments
    assert notes == ("vae_score: no weights that were handed in could be used (weights: best.pt: RuntimeError: size "
                     "mismatch)",)  # fmt: skip

    good = Child(lambda say, fetch: (trained(say, "loaded"), outputs(say, grey(len(fetch()["inputs"])))))  # type: ignore[func-returns-value]
    evidence, _, notes = measure(good, weights={"other.pt": b"4"})
    assert len(good.orders) == 1
    assert evidence.experiments["ended"].values["how"] == "loaded"
    assert not notes


def test_without_a_class_nothing_is_trained(measure: Callable[..., Any]) -> None:
    child = Child(lambda say, fetch: None)
    evidence, key, _ = measure(child, script="x = 1\n")
    assert not child.orders
    assert key
    assert evidence.failure == Failure("missing", "no class that could be trained was found in the code")


def test_a_childs_end_is_kept(measure: Callable[..., Any]) -> None:
    child = Child(lambda say, fetch: say({"begun": True}, b""))
    child.ended, child.broken = replace(Ended("timeout"), output="epoch 1"), "closed"
    evidence, _, _ = measure(child)
    assert evidence.failure is not None
    assert evidence.failure.kind == "timeout"
    assert evidence.output == "epoch 1"


@pytest.mark.parametrize("text", ["", "0m", "half an hour", "-3", "1d", "0.5s"])
def test_a_budget_that_is_none_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        budget_seconds(text)
    assert budget_seconds("90") == budget_seconds("1.5 M") == 90


# A training that was handed out ---------------------------------------------------------------------------------------

DENOISING = load_rubric("denoising")
GIVEN = handed_out("denoising")
MODELS = scripts_of(reference_path("denoising").read_text(encoding="utf-8"))["models.py"]
Measure = Callable[[dict[str, str]], tuple[Evidence, dict[str, Any], dict[str, bytes]]]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(3)
    for number in range(30):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / f"{number}.png")
    with held("denoising", folder, 1, 4) as kept:
        yield kept


@pytest.fixture
def denoise(images: Held, tmp_path: Path) -> Iterator[Measure]:
    """Yield what measures a submission of some files; it returns the order and the files that the child got."""
    store = Store(tmp_path / "evidence.sqlite")

    def part(say: Say, fetch: Callable[[], dict[str, Any]]) -> None:
        trained(say)
        outputs(say, fetch()["inputs"], item="score")

    def run(texts: dict[str, str]) -> tuple[Evidence, dict[str, Any], dict[str, bytes]]:
        child = Child(part)
        given = {name: GIVEN[name] for name in DENOISING.unchanged if name in GIVEN}
        studio = Studio(DENOISING, store, child, 1, {}, images, handed_out=given)  # type: ignore[arg-type] # stands in
        files = tuple(SourceFile(name, name, len(text), text) for name, text in texts.items())
        submission = Submission("adams", "adams", files)
        names = {item.id: item.names for item in DENOISING.items if item.names}
        program = read_program(submission, {one for each in names.values() for one in each}, DENOISING.files.values())
        slices = {name: cut_slice(program, names, name) for name in ("Q2a", "Q2b")}
        evidence, _, _ = studio.measure(
            Wanted(submission, program, slices, lambda names: dict.fromkeys(names, b"")), DENOISING.item("score")
        )
        return evidence, child.orders[0], child.files[0]

    yield run
    store.close()


def test_noisy_images_that_come_back_as_they_are_score_what_the_noise_is(denoise: Measure, images: Held) -> None:
    evidence, order, files = denoise({"models.py": MODELS})
    score = evidence.experiments["scores score 0"].arrays["score"]
    assert score == pytest.approx(np.abs(images.asked.inputs - images.asked.answers).mean(axis=(1, 2, 3)), abs=1e-6)
    assert evidence.experiments["pictures score"].arrays["shown"].shape == (3, 4, 64, 64, 3)
    assert (order["file"], order["cells"]) == ("asgn6.py", [("asgn6.py", GIVEN["asgn6.py"])])
    assert files["models.py"].decode() == MODELS
    (target,) = order["targets"]
    assert ([one["class"] for one in target["before"]], target["class"]) == (["Encoder"], "Decoder")
    assert target["calls"] == ["Decoder(LATENT, SIZE)"]
    assert target["constants"]["LATENT"] == 128


def test_the_students_copy_of_the_training_is_run_and_the_data_laid_where_it_looks(denoise: Measure) -> None:
    own = GIVEN["asgn6.py"].replace('"./data"', '"./pokemon"').replace("default=500", "default=20")
    _, order, _ = denoise({"a6/models.py": MODELS, "a6/asgn6.py": own})
    assert order["cells"] == [("asgn6.py", own)]
    assert order["links"] == {"./pokemon": "data"}


def test_models_of_another_name_are_laid_under_the_one_that_is_imported(denoise: Measure) -> None:
    _, order, files = denoise({"my_networks.py": MODELS})
    assert order["file"] == "asgn6.py"
    assert files["models.py"] == files["my_networks.py"] == MODELS.encode()


def test_the_classes_of_a_notebook_are_trained_and_one_that_trains_is_run(denoise: Measure) -> None:
    def notebook(*cells: str) -> str:
        return str(nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])))

    _, order, files = denoise({"a6.ipynb": notebook(MODELS, "!python asgn6.py\nraise SystemExit('no part of it')")})
    assert order["file"] == "asgn6.py"
    namespace: dict[str, Any] = {}
    exec(files["models.py"], namespace)
    assert namespace["Decoder"]
    _, order, files = denoise({"b6.ipynb": notebook(MODELS, "%%time\nloss = 0\nloss.backward()")})
    assert order["file"] == "b6.ipynb"
    assert [place for place, _ in order["cells"]] == ["cell 1", "cell 2"]
    assert order["cells"][1][1] == "\nloss = 0\nloss.backward()\n"
    assert "models.py" not in files


def test_a_training_that_was_not_handed_out_is_a_fault_of_ours(denoise: Measure, monkeypatch: Any) -> None:
    monkeypatch.delitem(GIVEN, "asgn6.py")
    with pytest.raises(Fault, match=r"asgn6\.py is not in student_template/denoising"):
        denoise({"models.py": MODELS})
