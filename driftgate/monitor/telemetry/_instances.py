"""A telemetry folder that several processes write: a store has one writer, so each has a store of its own in it.

The first takes the folder itself, the next ``instances/1``, and so on; one that starts takes the first that nobody
writes. Readers read all of them: a call that two of them received counts once, and what is told of it in two parts is
put together, as within one store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from driftgate.flows.errors import DriftgateError
from driftgate.monitor.telemetry._forget import Gone, found_of
from driftgate.monitor.telemetry._places import MOST, place_of, places
from driftgate.monitor.telemetry._store import Compaction, InUse, Store


def open_free(open_store: Callable[[Path], Store], folder: Path) -> Store:
    """Open the first store of a telemetry folder that nobody writes.

    Raises
    ------
    DriftgateError
        The folder cannot be written, or very many processes write it.
    """
    for number in range(MOST):
        try:
            return open_store(place_of(folder, number))
        except InUse:
            continue
    raise DriftgateError(f"{MOST} processes write the telemetry folder {folder}", "give this one a folder of its own")


def compact_others(open_store: Callable[[Path], Store], folder: Path, own: Store | None = None) -> list[Compaction]:
    """Compact the stores that nobody writes any more, as they would have themselves."""
    done = []
    for place in places(folder):
        if own is None or place != own.folder:
            try:
                with open_store(place) as store:
                    done.append(store.compact())
            except InUse:  # whoever writes it does so
                continue
    return done


def forget_user(folder: Path, user: str, *, dry: bool = False) -> Gone:
    """Remove every call of a user from a telemetry folder, or count them; see :meth:`Store.remove`.

    Parameters
    ----------
    user : str
        The id that the application gives, or what stands for it in the column ``user``.
    dry : bool
        Only count, which can be done while the folder is being written.

    Raises
    ------
    InUse
        Another process or store writes it.
    DriftgateError
        No user is named.
    """
    if dry or not folder.is_dir():
        return found_of(folder, user)
    with _all(folder) as stores:
        for store in stores:
            store.compact()
        gone = found_of(folder, user)
        for store in stores:
            store.remove(gone)
        return gone


@contextmanager
def _all(folder: Path) -> Iterator[list[Store]]:
    with ExitStack() as open_ones:
        yield [open_ones.enter_context(Store(place)) for place in places(folder)]
