"""The console: server-rendered pages over what the facade and the ledger say.

A page is a file of ``pages``, with a template of its name; its tables are values of :class:`Table`, filtered, ordered
and cut by the address, and stand beside it as JSON and CSV. Nothing here decides anything: what is shown is what the
facade says, and what a form does is a call of the facade.
"""

from driftgate.service.console._page import Console, Page
from driftgate.service.console._routes import router
from driftgate.service.console._view import make_view

__all__ = ["Console", "Page", "make_view", "router"]
