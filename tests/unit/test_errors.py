from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import did_you_mean

SLUGS = ["pixelcnn", "jem", "colourization", "denoising", "vae", "acgan"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("pixelcn", "pixelcnn"), ("colorization", "colourization"), ("gan", "acgan"), ("vea", "vae")],
)
def test_the_nearest_known_word_is_offered(word: str, nearest: str) -> None:
    assert did_you_mean(word, SLUGS) == f" (did you mean '{nearest}'?)"


def test_all_known_words_are_listed_in_order_when_none_is_near() -> None:
    assert did_you_mean("zzz", iter(["b", "a"])) == " (known: a, b)"
    assert did_you_mean("zzz", []) == " (known: )"


@given(st.text(max_size=12), st.sets(st.text(max_size=6), max_size=4))
def test_what_is_offered_is_always_a_known_word(word: str, known: set[str]) -> None:
    said = did_you_mean(word, known)
    assert said == f" (known: {', '.join(sorted(known))})" or said in {f" (did you mean '{one}'?)" for one in known}
