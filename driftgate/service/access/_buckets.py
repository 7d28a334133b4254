"""Token buckets: how often something may happen, for each of many, in bounded memory."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

_MOST = 10_000


@dataclass
class Buckets:
    """A bucket for each name: it holds ``burst`` and fills up by ``per_second``.

    Where there are more names than are remembered, the one that was heard of longest ago is forgotten: it begins anew
    with a full bucket, so that forgetting refuses nobody.

    Examples
    --------
    >>> at = [0.0]
    >>> buckets = Buckets(per_second=0.5, burst=2, clock=lambda: at[0])
    >>> [buckets.take("a") for _ in range(3)], buckets.take("b")
    ([0.0, 0.0, 2.0], 0.0)
    >>> at[0] = 2.0
    >>> buckets.take("a"), buckets.take("a")
    (0.0, 2.0)
    """

    per_second: float
    burst: float
    most: int = _MOST
    """Names that are remembered."""
    clock: Callable[[], float] = monotonic
    _held: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, name: str) -> float:
        """Take one; returns 0, or, where the bucket is empty, the seconds until it is not."""
        held = self._level(name)
        wait = 0.0 if held >= 1 else (1 - held) / self.per_second
        self._put(name, held - 1 if held >= 1 else held)
        return wait

    def wait(self, name: str) -> float:
        """Seconds until one could be taken, without taking it."""
        held = self._level(name)
        return 0.0 if held >= 1 else (1 - held) / self.per_second

    def _level(self, name: str) -> float:
        now = self.clock()
        held, at = self._held.get(name, (self.burst, now))
        return min(self.burst, held + (now - at) * self.per_second)

    def _put(self, name: str, held: float) -> None:
        self._held[name] = (held, self.clock())
        self._held.move_to_end(name)
        while len(self._held) > self.most:
            self._held.popitem(last=False)


def neighbourhood(address: str) -> str:
    """What one stranger has: an address, or of IPv6 its first 64 bits, of which anybody has as many as they like.

    Examples
    --------
    >>> neighbourhood("192.0.2.7"), neighbourhood("2001:db8:1:2:3:4:5:6"), neighbourhood("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7')
    >>> neighbourhood("testclient")
    'testclient'
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
