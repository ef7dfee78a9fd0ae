"""The references of handout E as trainings: what takes the place of their settings and data, and what they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.data.cifar10 import CLASSES, Images


@dataclass(frozen=True)
class Training:
    """A training of a reference: which names are given, and which one holds the score that the handout asks for."""

    slug: str
    score: str
    full: float  # the score of full points
    none: float  # the score of none
    settings: Mapping[str, Any]
    folder: str  # the name that says where pictures go
    epochs: str
    flipped: bool = False


@dataclass(frozen=True)
class Scored:
    """Items of the metric tier that a reference is tried at, together where one run of its script trains for all.

    `epochs` is the text before the number of epochs in the reference; `weights` the stage that trains its network by
    itself and the file that it leaves; `modules` what grading it imports besides PyTorch, and the packages. Where its
    data are not CIFAR-10, --data is handed on as it is.
    """

    slug: str
    items: tuple[str, ...]
    epochs: str
    weights: tuple[str, str] = ("", "")
    modules: Mapping[str, str] = field(default_factory=dict)
    cifar10: bool = True


TRAININGS = {
    "vae": Training("vae", "best", 0.69, 0.72, {"conditional": False}, "folder", "num_epochs"),
    "cvae": Training("vae", "best", 0.73, 0.76, {"conditional": True}, "folder", "num_epochs"),
    "acgan": Training("acgan", "best_accuracy", 0.69, 0.65, {}, "results_folder", "epochs", flipped=True),
}
_KERAS = {"tensorflow": "tensorflow", "keras": "keras"}
# Those of handout E are graded where none is named; what another assignment is scored by is one line more.
SCORED = (
    Scored("vae", ("vae_score",), "num_epochs = ", ("vae", "best.pt")),
    Scored("vae", ("cvae_score",), "num_epochs = ", ("cvae", "best.pt")),
    Scored("acgan", ("accuracy",), "epochs = ", ("acgan", "discriminator.pt")),
    Scored("colourization", ("4.2-score", "5.2-score", "6.2-score"), '"epochs": '),
    Scored("denoising", ("score",), 'parser.add_argument("--epochs", type=int, default=', cifar10=False),
    Scored("pixelcnn", ("C10-score",), "EPOCHS = ", modules=_KERAS, cifar10=False),
    Scored("jem", ("Q5-score", "Q10-score"), "EPOCHS_1 = ", modules=_KERAS),
)


class Batches:
    """Batches of images, float32 (B, 3, 32, 32) in [0, 1], and labels (B,), on the device."""

    def __init__(self, part: Images, size: int, device: str, shuffled: bool = False, flipped: bool = False):
        import torch

        self.images = torch.from_numpy(part.images).to(device).permute(0, 3, 1, 2)
        self.labels = torch.from_numpy(part.labels).to(device).long()
        self.size, self.shuffled, self.flipped = size, shuffled, flipped
        self.dataset = part.labels  # the references ask for its length

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.size)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        import torch

        count = len(self.dataset)
        order = torch.randperm(count) if self.shuffled else torch.arange(count)
        for chosen in order.to(self.labels.device).split(self.size):
            x = self.images[chosen].float() / 255
            if self.flipped:
                x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x)
            yield x, self.labels[chosen]


class _TestSet:
    """What AC-GAN's reference asks of torchvision's data set."""

    classes = CLASSES

    def __init__(self, part: Images) -> None:
        self.count = len(part.labels)

    def __len__(self) -> int:
        return self.count


def given(one: Training, data: tuple[Images, Images], folder: Path, epochs: int | None) -> dict[str, Any]:
    """Return the names that take the place of a reference's settings and of its data."""
    import torch

    train, test = data
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = 256 if one.slug == "acgan" else 128  # as in the references
    names = {
        **one.settings,
        one.folder: str(folder),
        "data": None,
        "train_set": None,
        "test_set": _TestSet(test),
        "train_loader": Batches(train, size, device, shuffled=True, flipped=one.flipped),
        "test_loader": Batches(test, size, device),
    }
    return names | ({one.epochs: epochs} if epochs else {})


def curves(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the curves that a training left, by name."""
    found = names.get("curves") or {key: names[key] for key in ("losses_g", "losses_d") if key in names}
    return {key: [float(value) for value in values] for key, values in found.items()}
