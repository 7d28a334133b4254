"""Where telemetry comes from: one module per source, found by name."""

from driftgate.monitor.telemetry.sources._source import SOURCES, Collected, Source, SourceConfig, parse_config

__all__ = ["SOURCES", "Collected", "Source", "SourceConfig", "parse_config"]
