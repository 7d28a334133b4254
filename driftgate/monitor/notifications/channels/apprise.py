"""E-mail, Teams, Slack, PagerDuty and whatever else the package apprise reaches, by one address each.

Examples of addresses: ``mailtos://USER:PASSWORD@smtp.example.com?to=ops@example.com``,
``workflows://HOST:443/WORKFLOW/SIGNATURE`` (Teams), ``slack://A/B/C``, ``pagerduty://KEY@API``. They hold passwords, so
they stand in the environment.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from pydantic import Field

from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import naming_extras
from driftgate.flows.models import Secret
from driftgate.flows.network import in_force
from driftgate.flows.scrubbing import keep_secret, told
from driftgate.monitor.incidents import Severity
from driftgate.monitor.notifications._message import Message
from driftgate.monitor.notifications.channels._channel import Channel, ChannelConfig, NotDelivered

_TYPES: Mapping[Severity, str] = {"low": "info", "medium": "warning", "high": "failure", "critical": "failure"}
_ADDRESSES: Final = ("webhook_url", "notify_url", "smtp_host", "host")
"""Where a service of apprise says which host it asks, the surest first."""


class AppriseConfig(ChannelConfig):
    """A service that the package apprise reaches; needs the extra ``monitor``."""

    service_url: Secret
    """``${env:NAME}`` of the service's address, as apprise writes it: ``mailtos://…``, ``slack://…``,
    ``workflows://…`` (Teams), ``pagerduty://…``."""
    timeout: float = Field(20.0, gt=0, le=120, allow_inf_nan=False)
    """Seconds after which a try is given up."""


async def send(name: str, config: AppriseConfig, message: Message) -> None:
    """Tell a service once."""
    address = resolve_secret(config.service_url, f"notifications.channels.{name}.service_url")
    for part in re.split(r"[:/@?&=,]+", address.partition("://")[2]):
        if "." not in part:  # hosts are no secrets
            keep_secret(unquote(part))
    try:
        async with asyncio.timeout(config.timeout):
            failure = await asyncio.to_thread(_notify, address, message)
    except TimeoutError:
        raise NotDelivered(f"channel '{name}' did not answer within {config.timeout:g} s") from None
    except DriftgateError as problem:
        raise NotDelivered(f"channel '{name}': {problem.message}", problem.remedy) from problem
    if failure is not None:
        raise NotDelivered(f"channel '{name}' did not take the message: {told(failure)}")


def _notify(address: str, message: Message) -> str | None:
    """Send, and return what apprise says against it; None where it was taken."""
    with naming_extras("a notification by apprise"):
        import apprise

    asset = apprise.AppriseAsset(app_id="driftgate", app_desc="driftgate", app_url="", image_url_mask="")
    service = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if service is None:
        raise NotDelivered(
            "what the variable holds is no address that apprise knows", "see https://github.com/caronc/apprise/wiki"
        )
    _check(service)
    said = _Said()
    log = logging.getLogger("apprise")
    log.addHandler(said)
    try:
        kind = "success" if message.over else _TYPES[message.severity]
        taken = service.notify(body=message.body, title=message.title, notify_type=kind, body_format="text")
    finally:
        log.removeHandler(said)
    return None if taken else "; ".join(said.lines[-2:]) or "it gives no reason"


def _check(service: Any) -> None:
    """See that the workspace lets the service's host be asked."""
    network = in_force()
    if network.config.allow is None:
        return
    found = next((str(value) for name in _ADDRESSES if (value := getattr(service, name, None))), "")
    network.check(found if "://" in found else f"https://{found}")


class _Said(logging.Handler):
    """Keeps what apprise warns of, which is all that it says of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


CHANNEL = Channel(AppriseConfig, send)
