"""Ledgers for remediations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftgate.ledger import Ledger, open_ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger("ledger.db", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def either(location: str, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger on each database."""
    opened = open_ledger(location, tmp_path)
    yield opened
    opened.close()
