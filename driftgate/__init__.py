"""Benchmarks, gates and watches the language models a team runs in production.

``driftgate.open("folder")`` gives everything a person does with a workspace; the command line calls nothing else.
An application sends its calls of models by ``driftgate.instrument("its name")``.
"""

TYPE_CHECKING = False  # typing's own would be imported, by python -m from the folder that somebody stands in
if TYPE_CHECKING:
    from typing import Any

    from driftgate.api.facade import Workspace, open
    from driftgate.flows.errors import DriftgateError
    from driftgate.monitor.instrumentation import instrument, tagged

__all__ = ["DriftgateError", "Workspace", "instrument", "open", "tagged"]

_HOMES = {
    "open": "driftgate.api.facade",
    "Workspace": "driftgate.api.facade",
    "DriftgateError": "driftgate.flows.errors",
    "instrument": "driftgate.monitor.instrumentation",
    "tagged": "driftgate.monitor.instrumentation",
}


def __getattr__(name: str) -> "Any":
    # The command imports this package for every call: what it does not need is not imported.
    if name not in _HOMES:
        raise AttributeError(f"module 'driftgate' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
