"""Lesion sweeps by exact replay against other ways of running them, on the same models in one run."""
