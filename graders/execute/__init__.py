"""The execute tier: runs a whole notebook, top to bottom, in a confined kernel, and returns it with its outputs."""

from graders.execute.stage import Executed, Stage
from graders.execute.supervise import MODULES, run, run_limits

__all__ = ["MODULES", "Executed", "Stage", "run", "run_limits"]
