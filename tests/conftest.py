"""Fixtures that more than one package's tests use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "support"))  # modules the tests share; not a package of the project

from chat_endpoint import ChatEndpoint

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("driftgate", deadline=None)
settings.load_profile("driftgate")


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    """A chat endpoint on the loopback interface, to be told what to do."""
    served = ChatEndpoint()
    served.start()
    yield served
    served.stop()
