"""The archive is made up and the server stands beside the test: nothing here needs a network."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import resource
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from graders.data.cifar10 import read
from graders.data.cifar10 import write as write_cifar10
from graders.data.fetch import CIFAR10, Archive, fetch
from graders.errors import UsageError
from tests.submissions.conftest import graders
from tests.unit.data.test_cifar10 import same, some

NAME = "cifar-10-python.tar.gz"


def tarred(*members: tuple[str, bytes], links: tuple[tuple[str, str], ...] = ()) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, target in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a small data set by their names in the archive."""
    folder = tmp_path_factory.mktemp("made")
    write_cifar10(folder, some(10), some(4))
    return {f"{CIFAR10.folder}/{name}": (folder / CIFAR10.folder / name).read_bytes() for name in CIFAR10.files}


@pytest.fixture(scope="module")
def packed(files: dict[str, bytes]) -> bytes:
    return tarred(*files.items())


def known(data: bytes, url: str = f"http://127.0.0.1:9/{NAME}") -> Archive:
    return replace(CIFAR10, url=url, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def quiet(here: int, size: int) -> None:
    assert 0 < here <= size


def refused(*words: object) -> str:
    with pytest.raises(UsageError) as caught:
        fetch(*words, quiet)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


# A server ------------------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """What is served, how much of it before the line goes dead, and what was asked for."""

    data: bytes
    stops_after: int | None = None
    knows_ranges: bool = True
    moved: int = 0  # bytes that an answer to a range is moved by
    asked: list[str] = field(default_factory=list)
    url: str = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, server: Server, *args: object) -> None:
        self.state = server
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.state.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.state.knows_ranges else 0
        rest = self.state.data[start:]
        self.send_response(206 if start else 200)
        if start:
            first = start + self.state.moved
            self.send_header("Content-Range", f"bytes {first}-{len(self.state.data) - 1}/{len(self.state.data)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.state.stops_after])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(packed: bytes) -> Iterator[Server]:
    state = Server(packed)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, state)) as running:
        state.url = f"http://127.0.0.1:{running.server_port}/{NAME}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield state
        running.shutdown()
        thread.join()


# Downloading ---------------------------------------------------------------------------------------------------------


def test_what_is_published_is_known_by_its_checksum() -> None:
    assert CIFAR10.url.startswith("https://")
    assert CIFAR10.sha256 == "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def test_it_is_downloaded_verified_and_unpacked_once(server: Server, packed: bytes, tmp_path: Path) -> None:
    assert fetch(tmp_path, known(packed, server.url), None, quiet)
    train, test = read(tmp_path)
    assert same(train, some(10))
    assert same(test, some(4))
    assert [one.name for one in tmp_path.iterdir()] == [CIFAR10.folder], "nothing else is left"
    assert not fetch(tmp_path, known(packed, server.url), None, quiet)
    assert server.asked == [""]


def test_a_broken_download_is_gone_on_with(server: Server, packed: bytes, tmp_path: Path) -> None:
    server.stops_after = 1000
    said = refused(tmp_path, known(packed, server.url), None)
    assert f"ended after 1,000 of {len(packed):,} bytes; run the same command again" in said
    assert (tmp_path / f"{NAME}.part").read_bytes() == packed[:1000]
    server.stops_after = None
    assert fetch(tmp_path, known(packed, server.url), None, quiet)
    assert server.asked == ["", "bytes=1000-"]


def test_a_server_without_ranges_begins_anew(server: Server, packed: bytes, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 500)
    server.knows_ranges = False
    assert fetch(tmp_path, known(packed, server.url), None, quiet)
    assert same(read(tmp_path)[0], some(10))


def test_another_part_than_asked_for_is_not_taken(server: Server, packed: bytes, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(packed[:500])
    server.moved = 1
    assert "sends another part" in refused(tmp_path, known(packed, server.url), None)
    assert (tmp_path / f"{NAME}.part").read_bytes() == packed[:500]


def test_no_more_is_taken_than_the_archive_has(server: Server, packed: bytes, tmp_path: Path) -> None:
    server.data = packed + b"x" * (3 << 20)
    assert fetch(tmp_path, known(packed, server.url), None, quiet)


def test_a_changed_archive_is_removed(server: Server, packed: bytes, tmp_path: Path) -> None:
    server.data = packed[:-1] + b"x"
    said = refused(tmp_path, known(packed, server.url), None)
    assert "not the published archive" in said
    assert "it is removed: run the same command again" in said
    assert not list(tmp_path.iterdir())


def test_offline_it_says_what_to_do(packed: bytes, tmp_path: Path) -> None:
    said = refused(tmp_path, known(packed), None)  # nobody listens at that port
    assert "127.0.0.1:9" in said
    assert "Connection refused" in said
    assert "--from ARCHIVE" in said


def test_an_address_that_is_none(packed: bytes, tmp_path: Path) -> None:
    assert "--from ARCHIVE" in refused(tmp_path, known(packed, "cifar.tar.gz"), None)


# An archive that is there ---------------------------------------------------------------------------------------------


def test_an_archive_at_hand_stays(packed: bytes, tmp_path: Path) -> None:
    archive = tmp_path / "mine.tar.gz"
    archive.write_bytes(packed)
    assert fetch(tmp_path / "data", known(packed), archive, quiet)
    assert same(read(tmp_path / "data")[1], some(4))
    assert archive.read_bytes() == packed


@pytest.mark.parametrize("spoil", [lambda data: data[:-100], lambda data: b"y" + data[1:]])
def test_another_archive_is_refused_and_kept(packed: bytes, tmp_path: Path, spoil: object) -> None:
    archive = tmp_path / "mine.tar.gz"
    archive.write_bytes(spoil(packed))  # type: ignore[operator]
    said = refused(tmp_path / "data", known(packed), archive)
    assert f"{archive}: not the published archive" in said
    assert "download it again" in said
    assert archive.exists()
    assert not list((tmp_path / "data").iterdir())


def test_no_archive_there(packed: bytes, tmp_path: Path) -> None:
    said = refused(tmp_path / "data", known(packed), tmp_path / "none.tar.gz")
    assert said.startswith(f"{tmp_path / 'none.tar.gz'}: No such file")


def test_something_else_in_its_place_is_left_alone(packed: bytes, tmp_path: Path) -> None:
    (tmp_path / CIFAR10.folder).mkdir()
    (tmp_path / CIFAR10.folder / "notes.txt").write_text("mine")
    assert "something else already" in refused(tmp_path, known(packed), None)
    assert (tmp_path / CIFAR10.folder / "notes.txt").read_text() == "mine"


# Hostile archives, whose checksum is right: what stands between them and the disk is the unpacking alone --------------


def unpacked(data: bytes, tmp_path: Path) -> str:
    archive = tmp_path / "forged.tar.gz"
    archive.write_bytes(data)
    said = refused(tmp_path / "data", known(data), archive)
    assert not list((tmp_path / "data").iterdir()), "nothing half unpacked"
    return said


def test_no_name_in_an_archive_is_a_path(files: dict[str, bytes], tmp_path: Path) -> None:
    traps = [("../../escaped", b"x"), ("/tmp/escaped-graders", b"x"), (f"{CIFAR10.folder}/../../escaped", b"x")]
    data = tarred(*files.items(), *traps)
    archive = tmp_path / "a" / "forged.tar.gz"
    archive.parent.mkdir()
    archive.write_bytes(data)
    assert fetch(tmp_path / "a" / "b", known(data), archive, quiet)
    assert not list(tmp_path.rglob("escaped*"))
    assert not Path("/tmp/escaped-graders").exists()
    assert {one.name for one in (tmp_path / "a" / "b" / CIFAR10.folder).iterdir()} == set(CIFAR10.files)


def test_a_link_is_no_file(files: dict[str, bytes], tmp_path: Path) -> None:
    name = f"{CIFAR10.folder}/test_batch"
    rest = [(key, data) for key, data in files.items() if key != name]
    assert f"no file {name} in it" in unpacked(tarred(*rest, links=((name, "/etc/passwd"),)), tmp_path)


def test_a_missing_batch(files: dict[str, bytes], tmp_path: Path) -> None:
    name = f"{CIFAR10.folder}/data_batch_3"
    assert f"no file {name} in it" in unpacked(
        tarred(*((key, data) for key, data in files.items() if key != name)), tmp_path
    )


def test_a_file_that_swells(files: dict[str, bytes], tmp_path: Path) -> None:
    name = f"{CIFAR10.folder}/test_batch"
    assert f"{name} is larger" in unpacked(tarred(*(files | {name: bytes((64 << 20) + 1)}).items()), tmp_path)


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: gzip.compress(b"no tar" * 200)])
def test_an_archive_that_cannot_be_read(packed: bytes, tmp_path: Path, spoil: object) -> None:
    assert "no archive that can be read" in unpacked(spoil(packed), tmp_path)  # type: ignore[operator]


# A disk that takes no more --------------------------------------------------------------------------------------------

FULL = """
import sys
from dataclasses import replace
from pathlib import Path
from graders.data.fetch import CIFAR10, fetch
from graders.errors import UsageError
folder, archive, url, size, sha = sys.argv[1:]
known = replace(CIFAR10, url=url, bytes=int(size), sha256=sha)
try:
    fetch(Path(folder), known, Path(archive) if archive else None, lambda here, size: None)
except UsageError as error:
    print(error)
"""


@pytest.mark.parametrize("downloads", [True, False])
def test_a_disk_that_takes_no_more(server: Server, packed: bytes, tmp_path: Path, downloads: bool) -> None:
    archive = tmp_path / "mine.tar.gz"
    archive.write_bytes(packed)
    one = known(packed, server.url)
    words = [tmp_path / "data", "" if downloads else archive, one.url, one.bytes, one.sha256]
    run = subprocess.run(
        [sys.executable, "-c", FULL, *map(str, words)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)),
    )
    assert run.returncode == 0, run.stderr
    assert "File too large; mend it and run the same command again" in run.stdout
    assert run.stdout.count("\n") == 1
    assert not (tmp_path / "data" / CIFAR10.folder).exists()
    assert fetch(tmp_path / "data", one, None if downloads else archive, quiet), "once there is room"
    assert server.asked == (["", "bytes=2000-"] if downloads else [])


# The command ----------------------------------------------------------------------------------------------------------


def test_the_command_says_how_far_it_is_and_refuses_what_is_not_published(server: Server, tmp_path: Path) -> None:
    run = graders("data", "fetch", "cifar10", "-o", "data", "--url", server.url, cwd=tmp_path)
    *progress, last = run.stderr.splitlines()
    assert (run.returncode, run.stdout) == (2, "")
    assert progress == ["0 % of 170 MB"]
    assert f"{server.url}: ended after" in last


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cifar100",), "no data set 'cifar100' can be fetched (did you mean 'cifar10'?)"),
        (("cifar10", "--from", "none.tar.gz"), "none.tar.gz: No such file or directory"),
        (("cifar10", "--url", "http://127.0.0.1:9/x.tar.gz"), "cannot be fetched"),
    ],
)
def test_a_wrong_call_ends_in_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    run = graders("data", "fetch", *words, "-o", "data", cwd=tmp_path)
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
