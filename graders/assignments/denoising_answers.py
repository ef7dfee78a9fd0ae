"""Handout D, question 1: sizes and a number that students work out by hand, read from their answer cell or file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from graders import checks
from graders.assignments import Experiments, Seen
from graders.model import Json, Outcome

_WORDS = re.compile(r"[^\W\dxX_]{2}|[*+/^=]")  # two letters, or a calculation


class _Answer:
    """What the parts of question 1 share: numbers that are given as a value or a text."""

    arguments: tuple[str, ...] = ()
    item = ""

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Read the answer; None is none."""

        def read() -> dict[str, Json]:
            value = student.definition(self.item)
            value = value() if callable(value) else value
            if value is None or (isinstance(value, str) and not value.strip()):
                raise NotImplementedError(self.item)
            return {"numbers": _numbers(value), "words": isinstance(value, str) and bool(_WORDS.search(value))}

        return {"answer": read}

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Compare the numbers; a text with words in it that is not right is left to a person."""
        expected = "the answer to the question"
        if failed := checks.absent("answer", mine["answer"], expected):
            yield failed
            return
        found, wanted = mine["answer"].values["numbers"], theirs["answer"].values["numbers"]
        right = self.right(found, wanted)
        if right or not mine["answer"].values["words"]:
            yield checks.outcome("answer", right, expected, "right" if right else f"{_text(found) or 'no number'}")

    @staticmethod
    def right(found: Sequence[int], wanted: Sequence[int]) -> bool:
        """Return whether numbers are the right ones, of a size the number of images apart."""
        return list(found) in (list(wanted), list(wanted[1:]) if len(wanted) > 1 else list(wanted))


def _numbers(value: Any) -> list[int]:
    """Return the whole numbers of an answer, [] where there are others; of a text those of its last brackets.

    >>> _numbers((32, 16, 64, 64)), _numbers("(64+2-3)/1+1 = 64, so [16, 64, 64]")
    ([32, 16, 64, 64], [16, 64, 64])
    >>> _numbers("432+16 = 448"), _numbers(4.5), _numbers("32x16x64x64")
    ([448], [], [32, 16, 64, 64])
    """
    if isinstance(value, str):
        lists = re.findall(r"[(\[][\d\s,xX\u00d7]*\d[\s,xX\u00d7]+\d[\d\s,xX\u00d7]*[)\]]", value[:2000])
        text = lists[-1] if lists else value[:2000].rpartition("=")[2]
        return [int(number) for number in re.findall(r"\d{1,9}", text.replace(",", " ") if lists else _joined(text))]
    listed = value.tolist() if hasattr(value, "tolist") else value
    parts = list(listed) if isinstance(listed, (tuple, list)) else [listed]
    whole = all(isinstance(one, (int, float)) and one == int(one) for one in parts)
    return [int(one) for one in parts] if whole else []


def _joined(text: str) -> str:
    """Return a text with the commas taken out of numbers like 1,589,760."""
    return re.sub(r"(?<=\d),(?=\d{3}\b)(?!\s)", "", text)


def _text(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:8]))


class SizeAfterConvolution(_Answer):
    """The size that Conv2d gives, as numbers: (N, C, H, W) or (C, H, W) (Section 1 (a))."""

    item = "Q1a"


class SizeAfterTransposed(_Answer):
    """The size that ConvTranspose2d with stride 1 gives, as numbers: (N, C, H, W) or (C, H, W) (Section 1 (b))."""

    item = "Q1b"


class SizeAfterStride(_Answer):
    """The size that ConvTranspose2d with stride 2 gives, as numbers: (N, C, H, W) or (C, H, W) (Section 1 (c))."""

    item = "Q1c"


class ParametersOfConvolution(_Answer):
    """The number of learnable parameters of a Conv2d (Section 1 (d))."""

    item = "Q1d"
