"""A workspace whose model and traffic are watched, and its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_endpoint import ChatEndpoint
from looks import watched

from driftgate.ledger import Ledger, open_ledger


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint) -> Path:
    return watched(tmp_path, endpoint)


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = open_ledger(".driftgate/ledger.db", folder)
    yield opened
    opened.close()
