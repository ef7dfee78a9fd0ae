"""Imported by a zygote in the tests: stands for what the runner imports from a framework before it runs any code.

With it a child needs no framework, which would take it seconds to import; every name is a function that does nothing.
"""

from __future__ import annotations

import sys
import types

if "pytest" not in sys.modules:  # pytest imports every file in search of examples; there the real ones are wanted
    for name in ("graders.probes.legacy", "graders.probes.tensorflow"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__getattr__ = lambda _: lambda *args, **kwargs: None  # type: ignore[method-assign]
