"""Settings that are paths, marked where they are declared, so that one rule is applied to every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel


@dataclass(frozen=True)
class PathSetting:
    """Marks a field of a configuration whose value is a path: ``path: Annotated[str, READ]``."""

    read: bool
    """What lies below it is read, so that links in it count as well."""


@runtime_checkable
class HoldsSettings(Protocol):
    """A configuration that holds another one unread."""

    def held_settings(self) -> Mapping[str, BaseModel]:
        """Those by the name of their fields."""


READ = PathSetting(read=True)
WRITTEN = PathSetting(read=False)


def path_settings(
    value: Any, location: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str, PathSetting]]:
    """Every path in a configuration and in what it holds: where it stands, what it is, and of which kind."""
    if isinstance(value, BaseModel):
        if isinstance(value, HoldsSettings):
            yield from path_settings(value.held_settings(), location)
        for name, field in type(value).model_fields.items():
            given = getattr(value, name)
            mark = next((one for one in field.metadata if isinstance(one, PathSetting)), None)
            if mark is None:
                yield from path_settings(given, (*location, name))
            elif given is not None and f"{given}":
                yield (*location, name), f"{given}", mark
    elif isinstance(value, Mapping):
        for name, given in value.items():
            yield from path_settings(given, (*location, name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, given in enumerate(value):
            yield from path_settings(given, (*location, index))
