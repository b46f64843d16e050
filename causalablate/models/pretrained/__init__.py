"""Checkpoints loaded through transformers: one file per family or group of families."""
