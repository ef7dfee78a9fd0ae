"""What code written for the handouts' versions of NumPy (1) and Pillow (9) may rely on, whatever the framework.

Applied in children only: names that later versions dropped cost no marks.
"""

from __future__ import annotations

import numpy as np

_NUMPY = {"float_": np.float64, "int": int, "float": float, "object": object, "complex": complex, "unicode_": np.str_}


def restore() -> None:
    """Bring back what was dropped, where it is not there."""
    for name, kind in _NUMPY.items():
        if name not in np.__dict__:
            setattr(np, name, kind)
    _restore_pillow()


def _restore_pillow() -> None:
    from PIL import Image

    if not hasattr(Image, "ANTIALIAS"):
        Image.ANTIALIAS = Image.LANCZOS  # type: ignore[attr-defined]
