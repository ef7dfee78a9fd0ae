from __future__ import annotations

from pathlib import Path

import pytest

from graders.metrics.shell import Shell


def test_files_are_written_and_scripts_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below").mkdir()
    names: dict[str, object] = {}
    shell = Shell(names)
    shell.run_cell_magic("writefile", "'a b.py'", "import sys\nwords = sys.argv[1:]\n")
    shell.run_cell_magic("writefile", "-a 'a b.py'", "more = 2\nsys.exit(1)\n")
    with monkeypatch.context() as patch:
        patch.setattr("sys.argv", ["x"])
        (tmp_path / "c.py").write_text("import sys\nwords = sys.argv[1:]\n")
        shell.run_line_magic("run", "c.py --epochs 2")
        assert names["words"] == ["--epochs", "2"]
        shell.run_line_magic("run", "'a b.py'")  # that a script leaves does not end the notebook
    shell.run_line_magic("cd", "below")
    assert Path.cwd() == tmp_path / "below"
    assert (tmp_path / "a b.py").read_text().endswith("more = 2\nsys.exit(1)\n")
    capsys.readouterr()
    assert shell.getoutput("ls") == []
    shell.run_cell_magic("bash", "", "rm -rf x")
    shell.run_line_magic("matplotlib", "inline")
    shell.system("nvidia-smi")
    shell.display(3)
    assert capsys.readouterr().out.splitlines() == [
        "not run here: ls", "not run here: %%bash", "not run here: %matplotlib inline", "not run here: nvidia-smi", "3",
    ]  # fmt: skip
