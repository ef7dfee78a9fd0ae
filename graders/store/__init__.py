"""What a run has found out, in one SQLite file: evidence by what it depends on, and the report of each submission.

Each piece is written as it comes, in a transaction of its own, by the one process that holds the lock. What was
written outlives a kill and a full disk; a power cut takes the last seconds at most. The next run goes on from there.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from graders.errors import Fault, UsageError
from graders.model import Evidence, Json
from graders.store.evidence import read_evidence, write_evidence

__all__ = ["Store", "read_evidence", "write_evidence"]

_VERSION = 3  # of the tables
_TABLES = """
CREATE TABLE IF NOT EXISTS evidence (key TEXT PRIMARY KEY, document TEXT NOT NULL, arrays BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS file (key TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS submission (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, pieces TEXT NOT NULL, report TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS published (id TEXT PRIMARY KEY, told TEXT NOT NULL);
"""


class Store:
    """One file of evidence, reports and settings; safe to use from several threads, open in one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            UsageError: Another run has it open, or it is damaged or of another version.
            Fault: It cannot be written.
        """
        self.path = path
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = _only_writer(path)
            self._connection = sqlite3.connect(path, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def _open(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")  # a power cut may take the last seconds, in order
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise UsageError(f"{self.path}: written by another version of graders; give another folder with -o")
        self._connection.executescript(f"{_TABLES} PRAGMA user_version={_VERSION};")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one line what is wrong with the file or the disk."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Fault(f"{self.path}: {error}; make room or mend it, then run the same command again") from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{self.path}: is damaged ({error}); move it away and grade again") from error
        except OSError as error:
            raise Fault(
                f"{self.path}: {error.strerror}; make room or mend it, then run the same command again"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told(), self._lock, self._connection:
            yield self._connection

    def _row(self, question: str, *values: str) -> tuple[Any, ...] | None:
        with self._told(), self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(question, values).fetchone()
        return row

    # Evidence ----------------------------------------------------------------------------------------------------

    def evidence(self, key: str) -> Evidence | None:
        """Return the evidence of that key, if there is any."""
        row = self._row("SELECT document, arrays FROM evidence WHERE key = ?", key)
        return read_evidence(json.loads(row[0]), row[1]) if row else None

    def turn(self, key: str) -> threading.Lock:
        """Return the lock of a key: who comes second with equal work finds the evidence of the first."""
        with self._lock:
            return self._turns.setdefault(key, threading.Lock())

    def keep(self, key: str, evidence: Evidence) -> None:
        """Keep evidence under a key."""
        document, arrays = write_evidence(evidence)
        text = json.dumps(document)
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO evidence VALUES (?, ?, ?)", (key, text, arrays))

    def forget(self, key: str) -> None:
        """Drop the evidence of a key, so that it is measured again."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM evidence WHERE key = ?", (key,))

    def keep_file(self, key: str, content: bytes) -> None:
        """Keep the content of a file under a key."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO file VALUES (?, ?)", (key, content))

    def file(self, key: str) -> bytes | None:
        """Return the content that was kept under a key, if there is any."""
        row = self._row("SELECT content FROM file WHERE key = ?", key)
        return bytes(row[0]) if row else None

    # Settings of the run -----------------------------------------------------------------------------------------

    def setting(self, name: str, default: Json) -> Json:
        """Return a setting of the run; the first value that is asked for is kept."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, json.dumps(default)))
        return self.recorded(name)

    def record(self, name: str, value: Json) -> None:
        """Keep the newest value of a setting."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def recorded(self, name: str) -> Json:
        """Return the value of a setting, None where there is none."""
        row = self._row("SELECT value FROM setting WHERE name = ?", name)
        return json.loads(row[0]) if row else None

    # Submissions -------------------------------------------------------------------------------------------------

    def keep_submission(self, id_: str, key: str, pieces: Json, report: Json) -> None:
        """Keep the report of a submission, what it was made from, and the key of all that it depends on."""
        row = (_text(id_), key, json.dumps(pieces), json.dumps(report))
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO submission VALUES (?, ?, ?, ?)", row)

    def submission(self, id_: str) -> tuple[str, Json] | None:
        """Return the key and the report of a submission, if there is one."""
        row = self._row("SELECT key, report FROM submission WHERE id = ?", _text(id_))
        return (row[0], json.loads(row[1])) if row else None

    def pieces(self, id_: str) -> Json:
        """Return what the report of a submission was made from, None where there is none."""
        row = self._row("SELECT pieces FROM submission WHERE id = ?", _text(id_))
        return json.loads(row[0]) if row else None

    def published(self, id_: str) -> str:
        """Return what the files of a submission tell, as `publish` noted it, "" before."""
        row = self._row("SELECT told FROM published WHERE id = ?", _text(id_))
        return str(row[0]) if row else ""

    def publish(self, told: Mapping[str, str]) -> None:
        """Note what the files of these submissions now tell."""
        rows = [(_text(id_), what) for id_, what in told.items()]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO published VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close the file and let others have it."""
        self._connection.close()
        self._guard.close()


def _only_writer(path: Path) -> IO[str]:
    """Take the lock of a store; the system takes it back from a process that dies, however it dies."""
    guard = path.with_name(path.name + ".lock").open("a+")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        guard.seek(0)
        who = guard.read().strip()
        guard.close()
        raise UsageError(
            f"{path}: another run is writing to it{f' (process {who})' if who else ''}; wait for its end"
        ) from None
    guard.seek(0)
    guard.truncate()
    guard.write(str(os.getpid()))
    guard.flush()
    return guard


def _text(id_: str) -> str:
    """Return an id as SQLite can hold it: file names that are no UTF-8 come as halves of surrogate pairs."""
    return id_.encode(errors="backslashreplace").decode()
