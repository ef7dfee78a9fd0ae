"""The metric tier: a trained model is asked in its confined process, and its raw outputs are scored in ours."""
