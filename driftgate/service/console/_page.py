"""What a page of the console is: a file of :mod:`driftgate.service.console.pages` each, found by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftgate.api.facade import Workspace
from driftgate.flows.errors import DriftgateError
from driftgate.flows.registry import Registry
from driftgate.service.console._memo import Memo
from driftgate.service.console._searches import Searches
from driftgate.service.console._table import Table


class Missing(DriftgateError):
    """The address names something that is not there."""


@dataclass(frozen=True)
class Console:
    """What every page reads from."""

    workspace: Workspace
    read_only: bool = False
    """Nothing is changed from here, whoever asks."""
    memo: Memo = field(default_factory=Memo)
    """What was read a moment ago, or of something that does not change any more."""
    searches: Searches = field(default_factory=Searches)
    """Searches that are not at their end, and what was found by them."""
    pages: Memo = field(default_factory=lambda: Memo(most=256))
    """Pages as they were made a moment ago."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks of a page."""

    path: Mapping[str, str] = field(default_factory=dict)
    """The parts of the address that the page's path names."""
    query: Mapping[str, str] = field(default_factory=dict)
    operates: bool = False
    """Whether who asks may change something."""
    language: str = "en"
    who: str = ""
    """Who asks; only a page that is personal may differ by it."""


@dataclass(frozen=True)
class Content:
    """What a page has: facts about one thing, and tables."""

    facts: Any = None
    """A frozen dataclass, or None; the template reads it and the JSON beside the page has it."""
    tables: Sequence[Table] = ()
    """The first is the page's own: its parameters have no prefix, and it is the CSV file beside the page."""
    title: str = ""
    """What the page is of, such as a run's id; empty where its name says it all."""
    view: Any = None
    """What only the template needs."""


@dataclass(frozen=True)
class Page:
    """A page."""

    path: str
    """Its address, with parts in braces, such as ``/runs/{run}``."""
    name: str
    """The word ``page.NAME`` of the catalogue, which names it, and its template ``NAME.html``."""
    load: Callable[[Console, Asked], Content]
    menu: int = 0
    """Its place in the menu; 0 for a page that others lead to."""
    section: str = ""
    """The page of the menu that it belongs to; empty for itself."""
    query: Sequence[str] = ()
    """Parameters of its address that it reads beside those of its tables."""
    unkept: str = ""
    """A parameter with which it is made for whoever asks, as each request goes on where the one before it ended."""
    personal: bool = False
    """Whether it differs by who asks, so that nobody is shown what was made for somebody else."""


PAGES: Registry[Page] = Registry("page", "driftgate.service.console.pages", "PAGE")


def menu() -> Sequence[Page]:
    """The pages of the menu, in its order."""
    pages = [PAGES.get(name) for name in PAGES.names()]
    return sorted((page for page in pages if page.menu), key=lambda page: page.menu)
