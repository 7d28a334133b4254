"""What was made a moment ago is not made again for the next reader."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Value = TypeVar("Value")

BRIEF = 2.0
"""Seconds for which a page is shown as it was made: a person does not see the difference, 200 readers do."""
LATE = 8.0
"""Seconds past that for which it is still shown, while it is made anew for whoever comes next."""
SETTLED = 600.0
"""Seconds for which what was read of something that has ended is kept."""


@dataclass
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    value: Any = None


@dataclass
class Memo:
    """Values by key, each made by one thread while others wait for it; the least lately used go first.

    Parameters
    ----------
    most : int
        How many are kept.

    Examples
    --------
    >>> memo, made = Memo(), []
    >>> [memo.get("a", 60.0, lambda: made.append(1) or len(made)) for _ in range(3)]
    [1, 1, 1]
    >>> memo.clear()
    >>> memo.get("a", 60.0, lambda: made.append(1) or len(made))
    2
    """

    most: int = 4096
    _entries: OrderedDict[Hashable, _Entry] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def peek(self, key: Hashable, late: float = 0.0) -> Any:
        """The value if it is there and no longer than ``late`` seconds past its time, else None; never waits."""
        entry = self._entries.get(key)
        return entry.value if entry is not None and entry.until + late > time.monotonic() else None

    def get(self, key: Hashable, seconds: float, make: Callable[[], Value]) -> Value:
        """The value of a key, made anew where it is older than ``seconds``; an error is kept for nobody."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self.most:
                self._entries.popitem(last=False)
        with entry.lock:
            if entry.until <= time.monotonic():
                entry.value = make()
                entry.until = time.monotonic() + seconds
            value: Value = entry.value
            return value

    def clear(self) -> None:
        """Forget everything, after something was changed."""
        with self._lock:
            self._entries.clear()
