"""Connections to services: redirects are not followed, replies are read with a cap, and no cookie is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftgate.flows.network._errors import NetworkRefused, NotReached, TooLarge
from driftgate.flows.network._network import Network, in_force

if TYPE_CHECKING:
    import aiohttp

_MOST_WORDS = 65_536
"""Bytes of a reply that is no success: what a service says of an error stands at its beginning."""
_PROXY_REFUSES = frozenset({403, 407})


@dataclass(frozen=True)
class Received:
    """A reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    """Unpacked; of one that is no success its beginning."""


@dataclass
class Connections:
    """The connections of one client; it keeps to the network that was in force when it was made.

    How many there are at once, and how long one takes, is its user's to limit.
    """

    network: Network = field(default_factory=in_force)
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _checked: dict[tuple[str, str], str | None] = field(default_factory=dict, init=False)
    """By scheme and host that may be asked: the proxy through which it is, if any."""

    async def ask(self, method: str, url: str, **sent: Any) -> Received:
        """Make a request and read its reply.

        Parameters
        ----------
        **sent
            As aiohttp has it: ``headers``, ``data``, ``json``, ``params``, ``timeout``.

        Raises
        ------
        NetworkRefused
            The host may not be asked, or its certificate or a proxy forbids it.
        NotReached
            There is no reply, or only a part of one.
        TooLarge
            The reply is longer than what is read of one.
        """
        async with self.open(method, url, **sent) as response:
            if 200 <= response.status < 300:
                body = await self.whole(response)
            else:
                body = await beginning(response)
            return Received(response.status, response.headers, body)

    @asynccontextmanager
    async def open(self, method: str, url: str, **sent: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a request whose reply is read piece by piece, by who counts what is read; else as :meth:`ask`."""
        import aiohttp

        proxy = self._way_to(url)
        # Certificates are read from files, which takes a while: only where there is one to be checked.
        tls = self.network.tls if url.startswith("https:") or (proxy or "").startswith("https:") else True
        try:
            async with self._open_session().request(
                method, url, proxy=proxy, ssl=tls, allow_redirects=False, **sent
            ) as response:
                try:
                    yield response
                finally:
                    if not response.content.at_eof():  # the rest is not waited for
                        response.close()
        except aiohttp.ClientConnectorCertificateError as problem:
            raise NetworkRefused(
                f"the certificate of {_shown(url)} is not trusted ({_reason(problem.certificate_error)})",
                "set network.ca_file to the certificate of its authority, or SSL_CERT_FILE; or correct the address",
            ) from problem
        except aiohttp.ClientHttpProxyError as problem:
            said = f"the proxy {_shown(proxy or '')} gives no way to {_shown(url)} (HTTP {problem.status})"
            if problem.status in _PROXY_REFUSES:
                raise NetworkRefused(
                    said, "have the host admitted, or correct network.proxy, HTTPS_PROXY or NO_PROXY"
                ) from problem
            raise NotReached(said) from problem
        except (aiohttp.ClientError, OSError) as problem:
            if isinstance(problem, TimeoutError):
                raise
            raise NotReached(f"{type(problem).__name__}: {problem or 'connection lost'}") from problem
        except ValueError as problem:  # of a header or an address that cannot be sent
            raise NetworkRefused(
                f"the request to {_shown(url)} cannot be made ({problem})", "correct its address and its key"
            ) from problem

    async def aclose(self) -> None:
        """Close them; who asks meanwhile, or later, opens others."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _way_to(self, url: str) -> str | None:
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        if key not in self._checked:
            self.network.check(url)
            self._checked[key] = self.network.proxy_for(url)
        return self._checked[key]

    def _open_session(self) -> aiohttp.ClientSession:
        import aiohttp

        # The user's limit bounds the number of connections; a time-out is the user's as well.
        self._session = self._session or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self._session

    async def whole(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a reply, unpacked, to its end.

        Raises
        ------
        TooLarge
            It is longer than what is read of one.
        """
        most = self.network.most
        stated = response.content_length
        pieces: list[bytes] = []
        size = 0
        if stated is None or stated <= most:
            async for piece in response.content.iter_any():
                size += len(piece)
                if size > most:
                    break
                pieces.append(piece)
            else:
                return b"".join(pieces)
        raise TooLarge(
            f"the reply is longer than {most / 1e6:g} MB, and was not read to its end"
            + (f" (it says it has {stated / 1e6:,.0f} MB)" if stated is not None and stated > most else ""),
            "raise network.most_reply_mb if such replies are meant",
        )


async def beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read as much of a reply as an error needs."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size >= _MOST_WORDS:
            break
    return b"".join(pieces)[:_MOST_WORDS]


def _shown(url: str) -> str:
    """Host and port, without a user's password."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "an address that is none"


def _reason(problem: Exception) -> str:
    return str(getattr(problem, "verify_message", "") or problem)
