"""Language models behind one asynchronous interface.

A provider is a module of this package that exposes ``PROVIDER``; see :class:`Provider`. Everything a caller
needs is exported here; the provider modules are imported only when a workspace uses them.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.models._batched import Batchable, batched
    from driftgate.flows.models._batches import BatchBook, Batches, KeptBatch
    from driftgate.flows.models._config import ModelConfig, Prices, Secret, resolve
    from driftgate.flows.models._errors import (
        ContentFiltered,
        ModelError,
        ModelMisconfigured,
        NoLogprobs,
        RateLimited,
        RequestRejected,
        Unavailable,
        WaitEnded,
    )
    from driftgate.flows.models._limit import AdaptiveLimit
    from driftgate.flows.models._patience import Patience
    from driftgate.flows.models._provider import PROVIDERS, Provider, parse_config
    from driftgate.flows.models._redirects import redirect_of, redirected, refuse_in_azure, refuse_in_openai
    from driftgate.flows.models._refusal import ParameterRefused
    from driftgate.flows.models._resilience import ReplyCache, RetryPolicy, cached, gave_up, resilient
    from driftgate.flows.models._types import Message, Model, Reply, cache_key
    from driftgate.flows.models._usage import Usage, count, read_usage
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "PROVIDERS",
    "AdaptiveLimit",
    "BatchBook",
    "Batchable",
    "Batches",
    "ContentFiltered",
    "KeptBatch",
    "Message",
    "Model",
    "ModelConfig",
    "ModelError",
    "ModelMisconfigured",
    "NoLogprobs",
    "ParameterRefused",
    "Patience",
    "Prices",
    "Provider",
    "RateLimited",
    "Reply",
    "ReplyCache",
    "RequestRejected",
    "RetryPolicy",
    "Secret",
    "Unavailable",
    "Usage",
    "WaitEnded",
    "batched",
    "cache_key",
    "cached",
    "count",
    "gave_up",
    "parse_config",
    "read_usage",
    "redirect_of",
    "redirected",
    "refuse_in_azure",
    "refuse_in_openai",
    "resilient",
    "resolve",
]
