"""The day on which a deployment ends, where its service says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._entra import Headers
from driftgate.flows.network import Connections, Unreadable, read_json

_SECONDS = 10.0


async def end_listed(url: str, headers: Headers, *names: str) -> date | None:
    """Read a service's list of models for the day on which one of them ends.

    OpenAI's ``GET /v1/models`` has ``shutdown_date``, Azure OpenAI's ``deprecation`` with the day of ``inference``.
    That a service offers no list, or says nothing in it, is not a fault: the day is then not known.

    Parameters
    ----------
    names : str
        What the service may call the model, the likeliest first.

    Returns
    -------
    datetime.date or None
        None where it is not known.
    """
    import aiohttp

    connections = Connections()
    try:
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        received = await connections.ask("GET", url, headers=dict(await headers()), timeout=timeout)
        listed = list(_models(read_json(received.body))) if received.status == 200 else []
    except (TimeoutError, Unreadable, DriftgateError):
        return None
    finally:
        await connections.aclose()
    by_name = {str(model.get("id")): model for model in listed}
    return next((day for name in names if (day := end_of(by_name.get(name, {}))) is not None), None)


def _models(body: Any) -> Iterator[Mapping[str, Any]]:
    data = body.get("data") if isinstance(body, Mapping) else None
    yield from (model for model in data if isinstance(model, Mapping)) if isinstance(data, list) else ()


def end_of(model: Mapping[str, Any]) -> date | None:
    """The day on which a model of a list ends.

    Examples
    --------
    >>> end_of({"id": "a", "shutdown_date": "2027-02-06"}), end_of({"deprecation": {"inference": 1801872000}})
    (datetime.date(2027, 2, 6), datetime.date(2027, 2, 6))
    >>> end_of({"id": "a", "shutdown_date": None}) is None
    True
    >>> end_of({"shutdown_date": "2027-02-06T08:00:00+09:00"})
    datetime.date(2027, 2, 5)
    """
    deprecation = model.get("deprecation")
    told = [model.get("shutdown_date"), deprecation.get("inference") if isinstance(deprecation, Mapping) else None]
    return next((day for one in told if (day := _day(one)) is not None), None)


def _day(told: Any) -> date | None:
    try:
        if isinstance(told, str):
            at = datetime.fromisoformat(told)
            return (at if at.tzinfo is None else at.astimezone(UTC)).date()
        if isinstance(told, int | float) and not isinstance(told, bool) and told > 0:
            return datetime.fromtimestamp(told, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None
