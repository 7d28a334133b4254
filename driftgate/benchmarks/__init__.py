"""Measurement: datasets, runs, outcomes, scores, statistics, comparison, the gate and the ledger."""
