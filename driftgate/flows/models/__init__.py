"""Language models behind one asynchronous interface.

A provider is a module of this package that exposes ``PROVIDER``; see :class:`Provider`. Everything a caller
needs is exported here; the provider modules are imported only when a workspace uses them.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.models._asking import ReplyTooLarge
    from driftgate.flows.models._batched import Batchable, batched
    from driftgate.flows.models._batches import BatchBook, Batches, KeptBatch
    from driftgate.flows.models._capabilities import CAPS, CHAT, RESPONSES, Capabilities, cap_of, effort_of
    from driftgate.flows.models._chat_http import ChatModel
    from driftgate.flows.models._config import ModelConfig, Secret, resolve
    from driftgate.flows.models._entra import signed_in
    from driftgate.flows.models._errors import (
        ContentFiltered,
        ModelError,
        ModelMisconfigured,
        NoLogprobs,
        RateLimited,
        RequestRejected,
        Unavailable,
        WaitEnded,
        fault_in,
    )
    from driftgate.flows.models._limit import AdaptiveLimit, HeldPlace
    from driftgate.flows.models._listed import listed_prices
    from driftgate.flows.models._patience import Patience
    from driftgate.flows.models._prices import PriceList, Prices, Tier
    from driftgate.flows.models._provider import PROVIDERS, Provider, parse_config
    from driftgate.flows.models._redirects import Redirected, redirect_of, redirected
    from driftgate.flows.models._refusal import ParameterRefused, WireRefused
    from driftgate.flows.models._reserving import CostReached, Purse, Reserving
    from driftgate.flows.models._resilience import ReplyCache, RetryPolicy, Wrapper, cached, gave_up, resilient
    from driftgate.flows.models._types import Message, Model, Reply, ToolCall, cache_key
    from driftgate.flows.models._usage import Usage, count, read_usage
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "CAPS",
    "CHAT",
    "PROVIDERS",
    "RESPONSES",
    "AdaptiveLimit",
    "BatchBook",
    "Batchable",
    "Batches",
    "Capabilities",
    "ChatModel",
    "ContentFiltered",
    "CostReached",
    "HeldPlace",
    "KeptBatch",
    "Message",
    "Model",
    "ModelConfig",
    "ModelError",
    "ModelMisconfigured",
    "NoLogprobs",
    "ParameterRefused",
    "Patience",
    "PriceList",
    "Prices",
    "Provider",
    "Purse",
    "RateLimited",
    "Redirected",
    "Reply",
    "ReplyCache",
    "ReplyTooLarge",
    "RequestRejected",
    "Reserving",
    "RetryPolicy",
    "Secret",
    "Tier",
    "ToolCall",
    "Unavailable",
    "Usage",
    "WaitEnded",
    "WireRefused",
    "Wrapper",
    "batched",
    "cache_key",
    "cached",
    "cap_of",
    "count",
    "effort_of",
    "fault_in",
    "gave_up",
    "listed_prices",
    "parse_config",
    "read_usage",
    "redirect_of",
    "redirected",
    "resilient",
    "resolve",
    "signed_in",
]
