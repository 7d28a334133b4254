"""Timings of the monitor, run by hand."""
