"""What a preflight looks at: everything, or what a command is about to use."""

from __future__ import annotations

from dataclasses import dataclass

from driftgate.api.workspace import Workspace

PROBED_FROM = 1_000
"""Samples from which a run asks each of its models once beforehand. A smaller one is its own probe: it stops at the
first refusal that concerns all of its samples. A large one may reach its last model after hours, and one request is
a tenth of a per cent of it at most."""


@dataclass(frozen=True)
class Scope:
    """Names of the parts that are looked at; what these name in their turn is looked at as well."""

    suites: tuple[str, ...] = ()
    gates: tuple[str, ...] | None = None
    """None: every gate that judges one of the suites."""
    monitors: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    nightly: bool = False
    """What the night is told to do."""
    sends: bool = False
    """Azure Monitor is sent something."""
    serves: bool = False
    """The service is begun."""
    reaches: bool = False
    """Models and retrievers are connected to. Where an outage is itself a finding to be kept, as in a monitor's look,
    it is left to the look."""
    probes: bool = False
    """Models are asked, once each."""
    whole: bool = False
    """Also what nothing names: every model, dataset and retriever, the ledger and the disk."""

    @classmethod
    def everything(cls, config: Workspace) -> Scope:
        """The whole workspace, each model asked once."""
        return cls(
            suites=tuple(config.suites),
            gates=tuple(config.gates),
            monitors=tuple(config.monitors),
            recipes=tuple(config.recipes),
            nightly=True,
            sends=True,
            serves="service" in config.model_fields_set,
            reaches=True,
            probes=True,
            whole=True,
        )

    @classmethod
    def of_schedule(cls, config: Workspace) -> Scope:
        """What ``driftgate serve`` will do unattended; outages are left to the looks and runs that meet them."""
        night = config.nightly
        return cls(
            suites=tuple(night.suites),
            gates=tuple(night.gates),
            monitors=tuple(config.monitors),
            recipes=recipes_of(config, tuple(config.monitors), tuple(night.gates)),
            nightly=True,
            sends=True,
            serves=True,
        )


def recipes_of(config: Workspace, monitors: tuple[str, ...], gates: tuple[str, ...]) -> tuple[str, ...]:
    """The recipes that monitors and gates may begin."""
    named = [config.monitors[name].recipe for name in monitors] + [config.gates[name].recipe for name in gates]
    return tuple(dict.fromkeys(name for name in named if name is not None))
