"""What a workspace says of the network."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from driftgate.flows.environment import REFERENCE

_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[?[0-9a-f:.]+\]?", re.IGNORECASE)


def _is_host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError(
            f"'{value}' is no host: write a name such as NAME.openai.azure.com or an address, without http:// and "
            "without a port, or *.openai.azure.com for all names below one"
        )
    return value


def _is_proxy(value: str) -> str:
    parts = urlsplit(REFERENCE.sub("x", value))
    if parts.scheme not in ("http", "https") and not REFERENCE.match(value):
        raise ValueError("a proxy's address begins with http:// or https://, as in http://proxy.example:3128")
    given = value.rpartition("@")[0].rpartition("//")[2]
    if ":" in given and not REFERENCE.fullmatch(given.partition(":")[2]):
        raise ValueError("a password does not belong into this file: write ${env:NAME} and set NAME in the environment")
    return value


class NetworkConfig(BaseModel):
    """Whom a workspace's commands may ask over the network, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    allow: list[Annotated[str, AfterValidator(_is_host)]] | None = None
    """Hosts that may be asked, and no others: names, addresses, or ``*.openai.azure.com`` for all names below one. It
    holds for models, judges, retrievers, and Azure's and OpenAI's own clients; a proxy need not be named. Unset: any
    host."""
    proxy: Annotated[str, AfterValidator(_is_proxy)] | None = None
    """The proxy through which all but loopback addresses are asked, such as
    ``http://USER:${env:PROXY_PASSWORD}@proxy.example:3128``; ``NO_PROXY`` of the environment makes exceptions. Unset:
    ``HTTPS_PROXY`` and ``HTTP_PROXY`` of the environment."""
    ca_file: str | None = None
    """A file with certificates (PEM) of authorities that are trusted beside the system's, relative to the workspace."""
    most_reply_mb: float = Field(8, gt=0, le=4096, allow_inf_nan=False)
    """Megabytes of a reply that are read, unpacked; one that is longer is its sample's error. Raise it for
    log-probabilities of very long replies."""
