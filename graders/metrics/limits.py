"""What both sides of a training know of each other."""

from __future__ import annotations

CHUNK = 256  # inputs that a model is asked at once
MOST_CANDIDATES = 5  # of one model: the objects themselves, and files of weights, the newest first
MOST_OBJECTS = 3  # of one class, of those candidates
SAMPLE = 64  # images of the script's own test set, by which a training is followed
WEIGHTS = (".pt", ".pth", ".ckpt", ".bin", ".h5", ".keras", ".tar")
