"""Searches that take longer than a page may: each request looks a while longer, and says how far it is."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from driftgate.ledger import OutputsSearched

_MOST = 4
"""Searches that are kept: each may know of a hundred thousand texts whether it is in them."""
_KEPT = 600.0
"""Seconds after which one begins anew, as texts may have been forgotten."""


@dataclass
class _Search:
    begun: float
    steps: Iterator[OutputsSearched]
    lock: threading.Lock = field(default_factory=threading.Lock)
    last: OutputsSearched = field(default_factory=lambda: OutputsSearched({}, 0, 0))
    ended: bool = False


@dataclass
class Searches:
    """Searches by what is sought where, the least lately asked go first.

    Examples
    --------
    >>> steps = lambda: (OutputsSearched({}, n, 3) for n in (1, 2, 3))
    >>> searches = Searches()
    >>> [searches.go_on("key", steps, 0.0).done for _ in range(4)]
    [1, 2, 3, 3]
    >>> searches.go_on("other", steps, 9.0).done
    3
    """

    _searches: OrderedDict[Hashable, _Search] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def go_on(
        self, key: Hashable, begin: Callable[[], Iterator[OutputsSearched]], seconds: float, *, past: int = -1
    ) -> OutputsSearched:
        """How far a search is after it went on for some seconds, or was past so many already.

        Raises
        ------
        DriftgateError
            The search cannot go on; it begins anew when it is asked for again.
        """
        now = time.monotonic()
        with self._lock:
            search = self._searches.get(key)
            if search is None or now - search.begun > _KEPT or (search.ended and not search.last.complete):
                search = self._searches[key] = _Search(now, begin())
            self._searches.move_to_end(key)
            while len(self._searches) > _MOST:
                self._searches.popitem(last=False)
        with search.lock:
            if search.ended or search.last.done > past >= 0:
                return search.last
            search.ended = True  # also where it fails
            for step in search.steps:
                search.last = step
                if time.monotonic() - now >= seconds and not step.complete:
                    search.ended = False
                    break
            return search.last
