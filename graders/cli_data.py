"""The commands that make data sets and weights; `graders.cli` puts them in their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from graders.errors import UsageError, did_you_mean

data = typer.Typer(help="Data sets: artificial ones.", no_args_is_help=True)

_Slug = Annotated[str, typer.Argument(help="The assignment, for instance pixelcnn.")]
_Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same images.")]


@data.callback()
def _commands() -> None:
    """Make `data` a group of commands, even while it has one only."""


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
