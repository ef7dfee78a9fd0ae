"""Data sets and weights that graders make themselves; the courses' own are the instructor's to give."""
