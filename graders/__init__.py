"""An autograder and assignment-checking harness for deep-learning courses."""
