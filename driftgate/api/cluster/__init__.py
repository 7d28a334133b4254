"""A run divided over machines elsewhere: what goes up, what runs there, what comes back and is added to the ledger."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.api.cluster._asking import ask_on_azureml, check_not_asked_elsewhere
    from driftgate.api.cluster._shard import ask_elsewhere
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = ["ask_elsewhere", "ask_on_azureml", "check_not_asked_elsewhere"]
