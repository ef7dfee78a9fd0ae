"""Imported by a zygote in the tests: stands for the instruments, which the runner gets before it runs any code.

With it a child needs no framework, which would take it seconds to import; every name is a function that does nothing.
"""

from __future__ import annotations

import sys
import types

# Imported by every child otherwise.
import PIL.Image  # noqa: F401
import pyseccomp  # noqa: F401

import graders.probes.runner  # noqa: F401

if "pytest" not in sys.modules:  # pytest imports every file in search of examples; there the real ones are wanted
    lab = types.ModuleType("graders.probes.tensorflow")
    lab.__getattr__ = lambda _: lambda *args, **kwargs: None  # type: ignore[method-assign]
    sys.modules[lab.__name__] = lab
