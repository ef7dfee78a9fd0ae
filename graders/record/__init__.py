"""Reads the results that are saved in a handed-in notebook, and runs nothing: cells, logs, pictures and claims.

All of it was written by the student's own hand or machine: it is read in the trusted process, within limits, as text,
numbers and pixels, and becomes evidence like any other.
"""

from graders.record.flags import fingerprint, flags
from graders.record.reader import read

__all__ = ["fingerprint", "flags", "read"]
