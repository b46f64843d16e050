"""Training of the reference model."""
