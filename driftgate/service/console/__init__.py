"""The console: server-rendered pages over what the facade and the ledger say."""

from driftgate.service.console._page import Console, Page
from driftgate.service.console._routes import router

__all__ = ["Console", "Page", "router"]
