"""A signed webhook: JSON, with an HMAC-SHA256 over the time and the body, and a key that is the same in every try.

The signature is ``v1=`` and the hexadecimal HMAC-SHA256 of ``TIMESTAMP.BODY`` under the shared secret, where TIMESTAMP
is the header's text and BODY the bytes as they arrive. A receiver compares in constant time, refuses times that are
more than five minutes off, and takes a message whose ``Idempotency-Key`` it has seen for the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator, Field

from driftgate.flows.environment import resolve, resolve_secret, without_literal
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Secret
from driftgate.flows.network import Connections
from driftgate.monitor.notifications._message import Message
from driftgate.monitor.notifications.channels._channel import Channel, ChannelConfig, NotDelivered

TIMESTAMP, SIGNATURE, KEY = "X-Driftgate-Timestamp", "X-Driftgate-Signature", "Idempotency-Key"
_LEAST = 16
"""Characters of a secret, below which it could be guessed."""


class WebhookConfig(ChannelConfig):
    """An address of yours that takes signed JSON."""

    url: Annotated[str, AfterValidator(without_literal)]
    """Where messages are posted to: ``https://…``, or ``${env:NAME}`` where the address itself is to stay private."""
    secret: Secret
    """``${env:NAME}`` of the secret that signs messages, at least 16 characters; the receiver has it too."""
    timeout: float = Field(10.0, gt=0, le=60, allow_inf_nan=False)
    """Seconds after which a try is given up."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a message.

    Examples
    --------
    >>> signature("a secret of the two", "1764230400", b'{"version": 1}')
    'v1=1996f757a164844d09f6296bd704ed0d13eb1b3784b6cb87c7b8cfa3210c4569'
    """
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


async def send(name: str, config: WebhookConfig, message: Message) -> None:
    """Post a message once; any reply from 200 to 299 takes it."""
    setting = f"notifications.channels.{name}"
    url, secret = resolve(config.url, f"{setting}.url"), resolve_secret(config.secret, f"{setting}.secret")
    if len(secret) < _LEAST:
        raise NotDelivered(
            f"the secret of channel '{name}' has {len(secret)} characters, at least {_LEAST} are needed",
            "export a longer one, for example from: openssl rand -hex 24",
        )
    body = json.dumps(message.payload(), ensure_ascii=False).encode()
    now = str(int(time.time()))
    headers = {"Content-Type": "application/json", KEY: message.key, TIMESTAMP: now}
    connections = Connections()
    try:
        async with asyncio.timeout(config.timeout):
            received = await connections.ask(
                "POST", url, data=body, headers={**headers, SIGNATURE: signature(secret, now, body)}
            )
    except TimeoutError:
        raise NotDelivered(f"channel '{name}' did not answer within {config.timeout:g} s") from None
    except DriftgateError as problem:
        raise NotDelivered(f"channel '{name}': {problem.message}", problem.remedy) from problem
    finally:
        with suppress(OSError):
            await connections.aclose()
    if not 200 <= received.status < 300:
        said = received.body[:200].decode(errors="replace").strip()
        raise NotDelivered(f"channel '{name}' answered HTTP {received.status}{f': {said}' if said else ''}")


CHANNEL = Channel(WebhookConfig, send)
