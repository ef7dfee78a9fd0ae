"""What can be read of a text with errors in it: a broken statement must not take its neighbours along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

Read = TypeVar("Read")

# What a text can do to the parser: syntax errors, NUL bytes and bad encodings, nesting without end.
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)

# A statement may go on over this many lines that begin in the first column (a list of numbers, a string).
MOST_JOINED = 40
MOST_LINES_IN_STRING = 400
# Work is bounded, whatever the text: some characters, and some more for each of the text, may be parsed again.
MOST_REREAD = 100_000
MOST_REREADS = 10

# A line that begins so continues the statement above it.
_CONTINUES = (")", "]", "}", "else", "elif", "except", "finally")
# A line that begins so is the start of a statement, whatever brackets or quotes are open.
_STARTS = ("class ", "def ", "async def ", "@", "import ", "from ")


def pieces(text: str, read: Callable[[str], Read]) -> Iterator[tuple[int, Read | Exception]]:
    """Yield (first line, what `read` makes of it) for the whole text, or for the parts of it if the whole fails.

    A part that cannot be read comes with its exception, one of UNREADABLE.
    """
    try:
        yield 1, read(text)
    except UNREADABLE:
        yield from _parts(_chunks(text), read)


def _parts(chunks: list[tuple[int, str]], read: Callable[[str], Read]) -> Iterator[tuple[int, Read | Exception]]:
    at, budget = 0, MOST_REREAD + MOST_REREADS * sum(len(text) for _, text in chunks)
    while at < len(chunks):
        line = chunks[at][0]
        if budget < 0:
            yield line, SyntaxError("too many errors; what follows in the cell was not read")
            return
        taken, cost, result = _shortest(chunks, at, read)
        budget -= cost
        yield line, result
        at += taken


def _shortest(chunks: list[tuple[int, str]], at: int, read: Callable[[str], Read]) -> tuple[int, int, Read | Exception]:
    """Read the chunk, or as few of those that follow it as make it readable: (chunks, characters tried, result)."""
    text, cost, failure = "", 0, ""
    first: Exception | None = None
    for taken, (_, more) in enumerate(chunks[at : at + MOST_LINES_IN_STRING], start=1):
        if taken > 1 and not _goes_on(taken, chunks[at + taken - 2][1], more, failure):
            break
        text = f"{text}\n{more}" if taken > 1 else more
        # An error costs more than its text: making the exception is most of the work for a short line.
        cost += len(text) + 50
        try:
            return taken, cost, read(text)
        except UNREADABLE as error:
            first = first or error
            failure = str(first)
    return 1, cost, first or SyntaxError("cannot be read")


def _goes_on(taken: int, last: str, more: str, failure: str) -> bool:
    """Tell whether a chunk may continue the statement that failed so far: a definition begins anew.

    Except after its decorators, and inside a string in triple quotes: old code is often put away in one.
    """
    if "triple-quoted" in failure:
        return True
    return taken <= MOST_JOINED and (last.startswith("@") or not more.startswith(_STARTS))


def _chunks(text: str) -> list[tuple[int, str]]:
    """Return (first line, text) of the parts that begin in the first column."""
    chunks: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        begins = line.strip() and not line[0].isspace() and line[0] != "#" and not line.startswith(_CONTINUES)
        if begins or not chunks:
            chunks.append((number, []))
        chunks[-1][1].append(line)
    return [(number, "\n".join(lines)) for number, lines in chunks]
