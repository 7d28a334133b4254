"""Where the stores of a telemetry folder lie."""

from __future__ import annotations

from pathlib import Path

MOST = 64
"""Stores of a folder."""
_INSTANCES = "instances"


def place_of(folder: Path, number: int) -> Path:
    """The folder of a store by its number; 0 is the telemetry folder itself."""
    return folder / _INSTANCES / str(number) if number else folder


def places(folder: Path) -> list[Path]:
    """The folders of all stores there are, the telemetry folder itself first.

    Examples
    --------
    >>> places(Path("/nowhere")) == [Path("/nowhere")]
    True
    """
    return [folder, *(place for number in range(1, MOST) if (place := place_of(folder, number)).is_dir())]
