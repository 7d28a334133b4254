"""Ledgers on both databases, and small datasets."""

from ledgers import add, entry, fill, ledger, location, postgres, samples

__all__ = ["add", "entry", "fill", "ledger", "location", "postgres", "samples"]
