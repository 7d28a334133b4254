"""What a workspace says of the network, ready to be held to."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from driftgate.flows.environment import resolve
from driftgate.flows.network._errors import NetworkRefused
from driftgate.flows.network._settings import NetworkConfig
from driftgate.flows.private_files import write_bytes


@dataclass(frozen=True)
class Network:
    """The network as one workspace has it.

    Parameters
    ----------
    config : NetworkConfig
        What the workspace says.
    folder : Path
        What its paths are relative to.
    """

    config: NetworkConfig = field(default_factory=NetworkConfig)
    folder: Path = field(default_factory=Path)

    @property
    def most(self) -> int:
        """Bytes of a reply that are read."""
        return int(self.config.most_reply_mb * 1e6)

    def check(self, url: str) -> None:
        """See that a host may be asked.

        Raises
        ------
        NetworkRefused
            The workspace does not name it.

        Examples
        --------
        >>> network = Network(NetworkConfig(allow=["*.openai.azure.com", "127.0.0.1"]))
        >>> network.check("https://bank.openai.azure.com/openai/v1"), network.check("http://127.0.0.1:8000/v1")
        (None, None)
        >>> try:
        ...     network.check("https://openai.azure.com.evil.example/v1")
        ... except NetworkRefused as problem:
        ...     print(problem.message)
        the host openai.azure.com.evil.example may not be asked, as network.allow does not name it
        """
        if self.config.allow is None:
            return
        host = _host(url)
        if not any(_names(pattern, host) for pattern in self.config.allow):
            raise NetworkRefused(
                f"the host {host or 'of an address that is none'} may not be asked, as network.allow does not name it",
                "add it to network.allow in driftgate.yaml, or correct the address",
            )

    def proxy_for(self, url: str) -> str | None:
        """The proxy through which an address is asked; None where it is asked directly, as loopback always is.

        Raises
        ------
        NetworkRefused
            It is none that can be used.
        """
        parts = urlsplit(url)
        host = _host(url)
        if _is_loopback(host):
            return None
        stated = resolve(self.config.proxy, "network.proxy") if self.config.proxy else ""
        found = stated or self._from_environment.get(parts.scheme) or self._from_environment.get("all") or ""
        if not found or proxy_bypass_environment(host, self._from_environment):
            return None
        found = found if "://" in found else f"http://{found}"
        if urlsplit(found).scheme not in ("http", "https"):
            shown = found.rpartition("@")[2]
            raise NetworkRefused(
                f"the proxy {shown} is no HTTP proxy", "set network.proxy, or HTTPS_PROXY, to http://HOST:PORT"
            )
        return found

    @property
    def _from_environment(self) -> dict[str, str]:
        return getproxies_environment()

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whose certificates are trusted: the system's authorities (``SSL_CERT_FILE``), and those of ``ca_file``.

        Raises
        ------
        NetworkRefused
            The file is none of certificates.
        """
        context = ssl.create_default_context()
        if (file := self.ca_file) is not None:
            try:
                context.load_verify_locations(file)
            except (OSError, ssl.SSLError) as problem:
                raise NetworkRefused(
                    f"network.ca_file: {file} cannot be read as certificates ({problem.strerror or problem})",
                    "name a file in PEM form",
                ) from problem
        return context

    @property
    def ca_file(self) -> Path | None:
        """The file of private authorities."""
        if self.config.ca_file is None:
            return None
        return self.folder / resolve(self.config.ca_file, "network.ca_file")

    @property
    def bundle(self) -> str | None:
        """One file with all authorities, for clients that know but one and not the system's; None: as they have it."""
        stated = os.environ.get("SSL_CERT_FILE") or None
        if self.ca_file is not None:
            return self._joined
        return None if os.environ.get("REQUESTS_CA_BUNDLE") else stated

    @cached_property
    def _joined(self) -> str:
        import certifi

        assert self.ca_file is not None
        _ = self.tls  # it says what is wrong with the file
        public = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where()
        joined = Path(self._private.name, "authorities.pem")
        write_bytes(joined, Path(public).read_bytes() + b"\n" + self.ca_file.read_bytes())
        return str(joined)

    @cached_property
    def _private(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="driftgate-")  # it goes with this value


_in_force = Network()


def enter(network: Network) -> None:
    """Hold to a workspace's network in this process from now on; who is connected already keeps to the one before."""
    global _in_force
    _in_force = network


def in_force() -> Network:
    """The network of the workspace that was last worked with."""
    return _in_force


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _names(pattern: str, host: str) -> bool:
    wanted = pattern.lower().strip("[]")
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else bool(host) and host == wanted


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
