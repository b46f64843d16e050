"""Circuits: the smallest set of components that keeps the behaviour."""

from causalablate.graph.circuits.run import Circuit, circuit_curve, find_circuit

__all__ = ["Circuit", "circuit_curve", "find_circuit"]
