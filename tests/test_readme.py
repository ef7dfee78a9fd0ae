"""The commands of the README, run as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from graders.cli import app
from tests.submissions.conftest import ROOT, graders

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ graders (.*)$", README, flags=re.MULTILINE)


def test_the_commands_of_the_readme_end_well(tmp_path: Path) -> None:
    from demo.make_class import code

    folder = tmp_path / "out" / "demo-class"
    folder.mkdir(parents=True)
    (folder / "adams.py").write_text(code())
    (folder / "evans.py").write_text(code("C3-pads-bottom"))
    assert len(COMMANDS) >= 4
    for command in COMMANDS:
        process = graders(*shlex.split(command), cwd=tmp_path)
        assert process.returncode == 0, (command, process.stdout, process.stderr)


def test_every_command_is_in_the_readme() -> None:
    groups = [(f"{group.name} ", group.typer_instance) for group in app.registered_groups]
    for prefix, commands in [("", app), *groups]:
        for command in commands.registered_commands:
            assert command.callback is not None
            assert f"`graders {prefix}{command.callback.__name__}" in README


def test_every_make_command_is_a_target() -> None:
    commands = sorted(set(re.findall(r"make ([a-z][a-z-]*)", README)) - {"in"})
    assert {"demo", "test", "bench", "demo-all", "demo-jem", "demo-colourization", "demo-denoising"} <= set(commands)
    for command in commands:
        process = subprocess.run(["make", "-n", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
    slugs = {path.stem for path in (ROOT / "demo").glob("*.py")} - {"make_class", "__init__"}
    assert {f"demo-{slug}" for slug in slugs} <= set(commands)


def test_the_readme_begins_with_the_two_commands() -> None:
    assert [line[2:11] for line in README.splitlines() if line.startswith("$ ")][:2] == ["make demo", "make test"]


def test_the_table_of_items_is_that_of_the_rubrics() -> None:
    command, table = re.findall(r"<!-- graders (items .*) -->\n\n?((?:\|.*\n)*)", README)[0]
    process = graders(*shlex.split(command))
    assert process.returncode == 0, process.stderr
    assert table == process.stdout
    slugs = {path.stem for path in (ROOT / "rubrics").glob("*.toml")}
    assert set(re.findall(r"^\| `(\w+)` ", table, flags=re.MULTILINE)) == slugs
