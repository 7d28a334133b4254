"""Wrong keys and tokens: who keeps bringing them waits, and each spell of them is logged and audited."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, record_audit
from driftgate.service.access._buckets import Buckets

log = logging.getLogger(__name__)

_TOLD_EVERY = 60.0
_REMEMBERED = 4096
_ANYTHING = "keys or tokens that are none"


@dataclass
class Refusals:
    """Counts what was refused, by address.

    A credential that was right a moment ago is looked at also while its address waits: others behind the same address
    (a proxy, an office) are not shut out by one that guesses, who in turn learns nothing by trying.
    """

    ledger: Ledger
    burst: int
    seconds: float
    clock: Callable[[], float] = monotonic
    _right: OrderedDict[bytes, None] = field(default_factory=OrderedDict)
    _counted: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)
    """By address, refusals that were not told yet, and when the last were."""

    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._told_at = self.clock()
        self._buckets = Buckets(1 / self.seconds, self.burst, clock=self.clock)

    def wait(self, address: str, credential: str) -> float:
        """Seconds for which a credential is not looked at; 0: it is."""
        return 0.0 if _digest(credential) in self._right else self._buckets.wait(address)

    def right(self, credential: str) -> None:
        """Remember one that was right."""
        digest = _digest(credential)
        self._right[digest] = None
        self._right.move_to_end(digest)
        while len(self._right) > _REMEMBERED:
            self._right.popitem(last=False)

    def wrong(self, address: str, credential: str, what: str) -> None:
        """Count one that was wrong; of each address the first is told, and every minute how many there were.

        Parameters
        ----------
        what : str
            What was shown, without itself: ``a key``, ``a bearer token: it has expired``.
        """
        self._right.pop(_digest(credential), None)  # it was right before it was revoked
        self._buckets.take(address)
        self._count(address, what)

    def waiting(self, address: str) -> None:
        """Count one that was not looked at."""
        self._count(address, "anything, as it has to wait")

    def _count(self, address: str, what: str) -> None:
        now = self.clock()
        untold = []
        with self._lock:
            count, at = self._counted.pop(address, (0, -_TOLD_EVERY))
            count += 1
            if now - at >= _TOLD_EVERY:
                untold.append((address, count, what))
                count, at = 0, now
            self._counted[address] = (count, at)
            while len(self._counted) > _REMEMBERED:
                gone, (count, _) = self._counted.popitem(last=False)
                untold.append((gone, count, _ANYTHING))
        self._tell(untold)

    def is_due(self) -> bool:
        """Whether a minute has passed since :meth:`tell`."""
        return self.clock() - self._told_at >= _TOLD_EVERY

    def tell(self, *, everything: bool = False) -> None:
        """Tell of every address what was refused since it was told of last, where that is a minute ago."""
        now = self._told_at = self.clock()
        untold = []
        with self._lock:
            for address, (count, at) in list(self._counted.items()):
                if everything or now - at >= _TOLD_EVERY:
                    del self._counted[address]
                    untold.append((address, count, _ANYTHING))
        self._tell(untold)

    def _tell(self, untold: list[tuple[str, int, str]]) -> None:
        for address, count, what in untold:
            if not count:
                continue
            what = told(what)
            said = f"refused {what}" if count == 1 else f"refused {count:,} requests, of late with {what}"
            log.warning("sign-in from %s: %s", address, said)
            try:
                record_audit(self.ledger, address, "sign_in.refuse", "service", said)
            except DriftgateError as problem:  # whoever is refused must not learn that the ledger is down
                log.error("it could not be added to the audit log: %s", problem)


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()
