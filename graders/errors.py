"""What goes wrong and whose business it is: a wrong call of the instructor's, or a fault of our own.

What is wrong with a student's work is no exception but data (`Failure`, `Submission.problems`) until a report shows it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(Exception):
    """A wrong call, path or rubric. The message is one line: the file, the place and the mend. Exit status 2."""


class Fault(Exception):  # noqa: N818 - the verdict of the same name is the word of the project
    """Something of ours broke: the zygote, the confinement, a probe, a judge. Costs no marks; exit status 3."""


class Stopped(Exception):  # noqa: N818 - no error: somebody wanted it
    """The run was told to stop; what is graded by then is kept."""


class Unseen(Exception):  # noqa: N818 - no error: what decides an item lies where nobody looked
    """A judge cannot tell: it costs no marks, and a person decides. The message is one line: what to look at."""


class Unsaved(Unseen):
    """As above, where nothing was saved that a judge of saved results could look at: a run settles it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" with the nearest known word, or the list of them when none is near.

    >>> did_you_mean("pixelcn", ["pixelcnn", "jem"])
    " (did you mean 'pixelcnn'?)"
    >>> did_you_mean("x", ["b", "a"])
    ' (known: a, b)'
    """
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else f" (known: {', '.join(words)})"
