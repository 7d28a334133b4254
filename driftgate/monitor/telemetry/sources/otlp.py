"""Spans that applications send by OTLP/HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from driftgate.monitor.telemetry.sources._source import Collected, Source, SourceConfig

if TYPE_CHECKING:
    from fastapi import APIRouter

    from driftgate.ledger import Ledger
    from driftgate.monitor.telemetry._content import Intake
    from driftgate.monitor.telemetry._store import Store


class OtlpConfig(SourceConfig):
    """The receiver of the service."""

    max_megabytes: int = Field(16, ge=1, le=1024)
    """The most one request may have, compressed or not."""
    past_days: int = Field(400, ge=1, le=3650)
    """How long ago a call may have been made; one that is older, or dated more than a day ahead, is refused."""


def receiver(
    config: OtlpConfig,
    store: Store,
    authorise: Callable[..., Any],
    intake: Intake,
    count: Callable[[int, Mapping[Any, int]], None] = lambda calls, left: None,
) -> APIRouter:
    """Make the routes for the service to mount; see :func:`driftgate.monitor.telemetry.router`."""
    from driftgate.monitor.telemetry._content import Clock
    from driftgate.monitor.telemetry._http import router

    believed = replace(intake, clock=Clock(past=timedelta(days=config.past_days)))
    return router(store, authorise, believed, config.max_megabytes * 2**20, count)


def collect(config: OtlpConfig, store: Store, ledger: Ledger, intake: Intake, now: datetime) -> Collected:
    """Nothing is to be fetched: what applications sent and was acknowledged is in the store already."""
    return Collected(0, now)


SOURCE = Source(config=OtlpConfig, collect=collect)
