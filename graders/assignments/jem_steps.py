"""Handout B: the functions and the buffer, C3, C4 and C6 to C9; graders.assignments.jem puts them into its registry."""

from graders.assignments import jem_buffer as buffer
from graders.assignments import jem_energy as energy
from graders.assignments import jem_joint as joint
from graders.assignments import jem_training as training

STEPS: dict[str, type] = {
    "C3": training.TrainingStep,
    "C4": training.Accuracy,
    "C6": energy.Energy,
    "C7": energy.SamplingStep,
    "C8": buffer.SampleBuffer,
    "C9": joint.JointStep,
}
