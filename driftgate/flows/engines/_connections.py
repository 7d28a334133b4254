"""Prompt flow's code finds the connections of the workspace, wherever in a flow it looks for one.

A model configuration asks prompt flow's provider, which is one for the whole process; a prompty asks its client, which
reads a keyring. In a flow's tools, and while it is loaded, both find what the workspace defines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from driftgate.flows.errors import DriftgateError

_SEEN: ContextVar[Any] = ContextVar("driftgate_connections", default=None)


def provider_of(connections: Mapping[str, Mapping[str, Any]]) -> Any:
    """Prompt flow's provider of these connections, which are as its executor takes them.

    Raises
    ------
    DriftgateError
        A connection lacks what its type needs, or has what it does not know.
    """
    from promptflow.core._connection_provider._dict_connection_provider import DictConnectionProvider

    _teach_promptflow()
    for name, one in connections.items():
        try:
            DictConnectionProvider({name: {"name": name, **one}})
        except Exception as problem:
            raise DriftgateError(
                f"the connection '{name}' is no {one['type']} of prompt flow: {' '.join(str(problem).split())}",
                f"correct connections.{name}: its configs and secrets",
            ) from problem
    return DictConnectionProvider({name: {"name": name, **one} for name, one in connections.items()})


@contextmanager
def connections_seen(provider: Any) -> Iterator[None]:
    """Let prompt flow's code in the body of a ``with``, its tasks and threads find these connections.

    Parameters
    ----------
    provider : promptflow.connections.ConnectionProvider or None
        None leaves things as they are.
    """
    if provider is None:
        yield
        return
    before = _SEEN.set(provider)
    try:
        yield
    finally:
        _SEEN.reset(before)


@cache
def _teach_promptflow() -> None:
    """Make prompt flow look in the connections of the flow that asks; for anybody else it does what it did."""
    from promptflow.core import _prompty_utils
    from promptflow.core._connection_provider._connection_provider import ConnectionProvider

    usual, by_name = ConnectionProvider.get_instance, _prompty_utils.get_connection_by_name

    def get_instance(cls: Any, **settings: Any) -> Any:
        return _SEEN.get() or usual(**settings)

    def get_connection_by_name(name: str) -> Any:
        if (provider := _SEEN.get()) is None:
            return by_name(name)
        found = provider.get(name)
        return {**found.configs, **found.secrets}, found.TYPE

    ConnectionProvider.get_instance = classmethod(get_instance)  # type: ignore[arg-type]
    _prompty_utils.get_connection_by_name = get_connection_by_name
