"""Look for cyclic garbage seldom while a run goes on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cyclic garbage seldom, and hardly ever among what was there before, such as whole datasets.

    A line makes hundreds of small objects and no cycles to speak of; by default they are all searched every 700.
    ``gc.freeze`` would keep the datasets out altogether, but it also begins the count to the next full collection
    anew: in a process of many short runs none would ever come.
    """
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
