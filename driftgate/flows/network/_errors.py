"""Why nothing was heard of a service."""

from __future__ import annotations

from driftgate.flows.errors import DriftgateError


class NetworkRefused(DriftgateError):
    """The workspace, a proxy or a certificate forbids it: every further request would fail alike."""


class NotReached(DriftgateError):
    """No connection, or one that was lost: another attempt may mend it."""


class TooLarge(DriftgateError):
    """A reply longer than what is read of one; the rest was not received."""
