"""Find the members of a kind by name: one module per member, plus entry points of other distributions."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Generic, TypeVar, cast

from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import naming_extras

Member = TypeVar("Member")


@dataclass(frozen=True)
class Registry(Generic[Member]):
    """The members of one kind, imported only when asked for.

    A member is a module of ``package`` that does not begin with an underscore; the module's attribute
    ``attribute`` is the member. Other distributions add theirs through the entry point group of the package's
    name; a built-in name cannot be taken over.

    Examples
    --------
    >>> from driftgate.flows.models import PROVIDERS
    >>> "azure_openai" in PROVIDERS.names()
    True
    """

    kind: str
    """What a member is called in an error message, for example ``model provider``."""
    package: str
    """The package whose modules are the built-in members."""
    attribute: str
    """The name under which a module exposes its member."""

    def names(self) -> list[str]:
        """Names of all members, sorted."""
        return sorted({*_modules(self.package), *self._plugins()})

    def get(self, name: str) -> Member:
        """Return the member called ``name``.

        Raises
        ------
        DriftgateError
            No member has that name, or a plugin could not be imported.
        """
        if name in _modules(self.package):
            with naming_extras(f"the {self.kind} '{name}'"):
                return cast(Member, getattr(importlib.import_module(f"{self.package}.{name}"), self.attribute))
        plugin = self._plugins().get(name)
        if plugin is None:
            raise DriftgateError(f"there is no {self.kind} called '{name}'", nearest(name, self.names()))
        distribution = plugin.dist.name if plugin.dist else "?"
        try:
            member = plugin.load()
        except Exception as problem:
            raise DriftgateError(
                f"the {self.kind} '{name}' ({plugin.value}) failed to import: {problem}",
                f"mend or uninstall the distribution '{distribution}'",
            ) from problem
        if isinstance(member, ModuleType):
            raise DriftgateError(
                f"the entry point of the {self.kind} '{name}' names the module {plugin.value}, and nothing in it",
                f"let that of the distribution '{distribution}' name {plugin.value}:{self.attribute}",
            )
        return cast(Member, member)

    def _plugins(self) -> dict[str, EntryPoint]:
        return _entries(self.package, tuple(sys.path))


@cache
def _modules(package: str) -> frozenset[str]:
    """Module names are read from the folder, without importing any of them."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return frozenset(module.name for module in found if not module.name.startswith("_"))


@cache
def _entries(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """The entry points of a group, by name; to read them is to read every distribution on the path."""
    return {entry.name: entry for entry in entry_points(group=group)}
