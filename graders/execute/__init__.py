"""The execute tier: runs a whole notebook, top to bottom, in a confined kernel, and returns it with its outputs."""

from graders.execute.paths import Expected, expected_paths, links
from graders.execute.sources import notebook_of
from graders.execute.stage import Executed, Stage
from graders.execute.supervise import MODULES, run, run_limits

__all__ = ["MODULES", "Executed", "Expected", "Stage", "expected_paths", "links", "notebook_of", "run", "run_limits"]
