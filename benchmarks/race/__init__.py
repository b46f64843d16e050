"""The parts of the benchmark of adaptive sweeps: races on simulated tables, and on that of the shipped model."""
