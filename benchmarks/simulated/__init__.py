"""The parts of the benchmarks of effects: studies simulated from a known truth."""
