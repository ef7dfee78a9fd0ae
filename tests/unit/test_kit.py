from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from graders import kit
from graders.errors import UsageError
from graders.home import rubric_path
from graders.kit import PUBLIC_SEED, read_kit, write_kit
from graders.model import Evidence, Experiment
from tests.unit.evidence import KIT, outputs, reference, same

RUBRIC = rubric_path("pixelcnn").read_bytes()
EVIDENCE = {
    "C3": Evidence({"loading": Experiment(), "main": outputs([[1.5]], shapes=[[2]])}, seconds=3.5, output="by the way"),
    "C4": Evidence({"main": outputs([0.0])}),
}


def written(path: Path, evidence: dict[str, Evidence] = EVIDENCE, seed: int = 5) -> Path:
    write_kit(path, RUBRIC, seed, evidence)
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(path: Path, **changed: bytes | None) -> Path:
    """A kit of which some members are replaced, or left out; in a keyword `__` stands for a dot."""
    found = members(written(path)) | {name.replace("__", "."): data for name, data in changed.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_kit(path)
    return str(caught.value)


def test_a_kit_is_read_as_it_was_written_but_for_what_no_student_needs(tmp_path: Path) -> None:
    found = read_kit(written(tmp_path / "new" / "pixelcnn.kit"))
    assert (found.seed, found.assignment.slug, set(found.evidence)) == (5, "pixelcnn", {"C3", "C4"})
    assert same(found.evidence["C3"], replace(EVIDENCE["C3"], seconds=0.0, output=""))


def test_the_same_contents_give_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    later = dict(reversed([(name, replace(one, seconds=9.0)) for name, one in EVIDENCE.items()]))
    assert written(tmp_path / "a.kit").read_bytes() == written(tmp_path / "b.kit", later).read_bytes()


def test_other_contents_give_other_bytes(tmp_path: Path) -> None:
    other = {**EVIDENCE, "C4": Evidence({"main": outputs([0.25])})}
    assert written(tmp_path / "a.kit").read_bytes() != written(tmp_path / "b.kit", other).read_bytes()
    assert written(tmp_path / "a.kit").read_bytes() != written(tmp_path / "b.kit", seed=6).read_bytes()


def test_nothing_in_a_kit_is_pickled_and_no_code_of_the_reference_is_in_it() -> None:
    found = members(KIT)
    assert {Path(name).suffix for name in found} == {".json", ".toml", ".safetensors"}
    assert not any(re.search(rb"\bdef |class \w+\(|tf\.pad", data) for data in found.values())


def test_the_kit_that_students_receive_is_of_this_rubric_these_probes_and_the_public_seed() -> None:
    found = read_kit(KIT)
    assert found.seed == PUBLIC_SEED
    assert members(KIT)["rubric.toml"] == RUBRIC
    assert set(found.evidence) == {item.id for item in found.assignment.items if item.tier == "behaviour"}
    assert all(same(one, reference().evidence[name]) for name, one in found.evidence.items())


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04", b"\x80\x04\x95"])
def test_a_file_that_is_no_kit_is_refused_in_one_line_that_names_it(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pixelcnn.kit"
    path.write_bytes(data)
    assert re.fullmatch(rf"{re.escape(str(path))}: no self-check kit \(.+\); download it again .+", refusal(path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "pixelcnn.kit")


def test_a_kit_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "pixelcnn.kit")
    path.write_bytes(path.read_bytes()[:-200])
    assert "no self-check kit" in refusal(path)


@pytest.mark.parametrize("name", ["kit__json", "C3__json", "C3__safetensors", "rubric__toml"])
def test_a_kit_that_lacks_a_part_is_refused(tmp_path: Path, name: str) -> None:
    assert "no self-check kit" in refusal(repacked(tmp_path / "pixelcnn.kit", **{name: None}))


BROKEN = [
    ("kit__json", b"{"),
    ("kit__json", b'{"seed": 5}'),
    ("C3__json", b"\xff"),
    ("C3__json", b"{}"),
    ("rubric__toml", b"slug ="),
    ("kit__json", b"[]"),
    ("C3__json", b"[]"),
    ("C3__safetensors", b"x" * 20),
]


@pytest.mark.parametrize(("name", "data"), BROKEN)
def test_a_kit_with_a_broken_part_is_refused_in_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "pixelcnn.kit"
    message = refusal(repacked(path, **{name: data}))
    assert message.startswith(str(path))
    assert "\n" not in message


def test_a_kit_whose_compressed_bytes_were_changed_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "pixelcnn.kit")
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("C3.json").header_offset + 30 + len("C3.json")
    data = bytearray(path.read_bytes())
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    assert "no self-check kit" in refusal(path)


def test_a_kit_of_another_version_of_the_probes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "pixelcnn.kit")
    monkeypatch.setattr(kit, "digest", lambda: "another")
    assert "another version of graders" in refusal(path)


def test_a_kit_says_what_it_holds(tmp_path: Path) -> None:
    about = json.loads(members(written(tmp_path / "pixelcnn.kit"))["kit.json"])
    assert (about["schema"], about["seed"], about["items"]) == (1, 5, ["C3", "C4"])
