"""Sweeps: declarative sets of training runs."""
