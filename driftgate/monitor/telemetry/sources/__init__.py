"""Where telemetry comes from: one module per source, found by name."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.monitor.telemetry.sources._collect import CollectionResult, check_collected, collect_all
    from driftgate.monitor.telemetry.sources._source import SOURCES, Collected, Source, SourceConfig, parse_config
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "SOURCES",
    "Collected",
    "CollectionResult",
    "Source",
    "SourceConfig",
    "check_collected",
    "collect_all",
    "parse_config",
]
