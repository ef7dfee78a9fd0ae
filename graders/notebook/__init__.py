"""Cells to statements to slices: what of a notebook an item needs, told by reading it and never by running it."""

from graders.notebook.names import match_names
from graders.notebook.program import Program, read_program, with_given
from graders.notebook.slices import cut_slice, normalised
from graders.notebook.statements import Parsed
from graders.notebook.suspicions import suspicions

__all__ = ["Parsed", "Program", "cut_slice", "match_names", "normalised", "read_program", "suspicions", "with_given"]
