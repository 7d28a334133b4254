"""The one way out: whom this process may ask over the network, how, and how much of a reply is read.

A workspace says it under ``network``. Every client of driftgate's own is a :class:`Connections`; the clients of
packages (openai, azure-core) are ruled by :func:`rule_openai` and :func:`rule_azure`.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.network._clients import found_refusal, rule_azure, rule_openai
    from driftgate.flows.network._connections import Connections, Received, beginning
    from driftgate.flows.network._errors import NetworkRefused, NotReached, TooLarge
    from driftgate.flows.network._json import Unreadable, read_json
    from driftgate.flows.network._network import Network, enter, in_force
    from driftgate.flows.network._settings import NetworkConfig
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Connections",
    "Network",
    "NetworkConfig",
    "NetworkRefused",
    "NotReached",
    "Received",
    "TooLarge",
    "Unreadable",
    "beginning",
    "enter",
    "found_refusal",
    "in_force",
    "read_json",
    "rule_azure",
    "rule_openai",
]
