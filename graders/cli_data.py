"""The commands that make data sets and weights; `graders.cli` puts them in their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from graders.errors import UsageError, did_you_mean

data = typer.Typer(help="Data sets: fetched, packed and artificial ones.", no_args_is_help=True)

_Slug = Annotated[str, typer.Argument(help="The assignment, for instance pixelcnn.")]
_Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")]


@data.command()
def draw(
    assignment: _Slug,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder that gets the images.")],
    train: Annotated[int, typer.Option(min=1, help="How many images for training.")] = 400,
    test: Annotated[int, typer.Option(min=1, help="How many images for the test.")] = 100,
    seed: _Seed = 0,
) -> None:
    """Draw an artificial data set that stands in for the course's own: images of the same size in the same format."""
    from graders.data import calligraphy, cifar10

    makers = {"pixelcnn": calligraphy.draw, "jem": cifar10.draw}
    if assignment not in makers:
        raise UsageError(f"no data set is drawn for '{assignment}'{did_you_mean(assignment, makers)}")
    makers[assignment](out, train, test, seed)
    typer.echo(f"{out}: {train} images for training, {test} for the test")


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The data set: cifar10.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder that gets it; 340 MB while it is unpacked.")],
    source: Annotated[Path | None, typer.Option("--from", help="The archive, where it is downloaded already.")] = None,
    url: Annotated[str, typer.Option(help="Another address of the same archive.")] = "",
) -> None:
    """Fetch a data set as it is published, verify and unpack it; called again, it goes on where it was stopped."""
    from graders.data import fetch

    archives = {"cifar10": fetch.CIFAR10}
    if name not in archives:
        raise UsageError(f"no data set '{name}' can be fetched{did_you_mean(name, archives)}")
    archive = replace(archives[name], url=url) if url else archives[name]
    new = fetch.fetch(out, archive, source, _percent())
    typer.echo(f"{out / archive.folder}: {'verified and unpacked' if new else 'there already'}")


def _percent() -> Callable[[int, int], None]:
    """Return a function that says on stderr how much of a download is here, a line for every tenth of it."""
    said = -1

    def tell(here: int, size: int) -> None:
        nonlocal said
        if (tenth := 10 * here // size) > said:
            said = tenth
            typer.echo(f"{10 * tenth} % of {size / 1e6:.0f} MB", err=True)

    return tell


@data.command()
def pack(
    folder: Annotated[
        Path, typer.Argument(help="Holds train/ and test/ with images or folders of classes; or CIFAR-10.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .npz file, or a folder in the format of CIFAR-10.")],
) -> None:
    """Pack folders of images into one file that --data takes, or into the format that CIFAR-10 is published in."""
    from graders.data.pack import pack

    typer.echo(pack(folder, out))


def weights(
    assignment: _Slug,
    data: Annotated[Path, typer.Option(help="A folder with the folders train/ and test/ in it.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file; model.load_weights takes it by this name.")],
    epochs: Annotated[int, typer.Option(min=1)] = 5,
    n_resnet: Annotated[int, typer.Option(min=1)] = 6,
    n_filters: Annotated[int, typer.Option(min=1)] = 64,
    n_block: Annotated[int, typer.Option(min=1)] = 6,
    n_output: Annotated[int, typer.Option(min=1)] = 10,
    learning_rate: Annotated[float, typer.Option(help="The handout's by default.")] = 0.0001,
    limit: Annotated[int | None, typer.Option(min=1, help="How many images; all by default.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the reference's model on a data set and write the weights that the course hands out."""
    from graders.data.weights import train_weights

    options = {"n_resnet": n_resnet, "n_filters": n_filters, "n_block": n_block, "n_output": n_output}
    options |= {"epochs": epochs, "seed": seed} | ({"limit": limit} if limit else {})
    train_weights(assignment, data, out, {**options, "learning_rate": learning_rate}, _tell)
    typer.echo(f"{out}: written")


def _tell(line: Mapping[str, Any]) -> None:
    if "epoch" in line:
        typer.echo(f"epoch {line['epoch']}: loss {line['loss']:.4f} after {line['seconds']:.0f} s")
    else:
        typer.echo(f"test loss {line['before']:.4f} before, {line['after']:.4f} after training")
