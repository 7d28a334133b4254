"""Azure AI Search over its REST interface, by API key or by an Entra ID token."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, model_validator

from driftgate.flows.environment import resolve_secret
from driftgate.flows.models import RetryPolicy, Secret, Unavailable, resolve
from driftgate.flows.models._asking import in_its_words
from driftgate.flows.models._chat_http import check_connection
from driftgate.flows.models._entra import Headers, token_headers
from driftgate.flows.models._refusal import well_formed
from driftgate.flows.network import Connections, read_json
from driftgate.flows.retrieval._again import Service, named
from driftgate.flows.retrieval._refused import refused
from driftgate.flows.retrieval._retriever import Passage, RetrieverConfig, RetrieverKind

SCOPE = "https://search.azure.com/.default"


class AzureAISearchConfig(RetrieverConfig):
    """An index of an Azure AI Search service."""

    kind: Literal["azure_ai_search"]
    """``azure_ai_search``."""
    endpoint: str
    """The service's address, for example ``https://NAME.search.windows.net``."""
    index: str
    """Name of the index."""
    api_key: Secret | None = None
    """``${env:NAME}`` of a query key; without it an Entra ID token is asked of ``DefaultAzureCredential`` (role
    Search Index Data Reader)."""
    api_version: str = "2024-07-01"
    """Version of the data-plane API."""
    id_field: str = "id"
    """Field with the passage's id."""
    document_field: str | None = None
    """Field with the document's id, where passages are chunks of documents. Unset: the passage's id."""
    text_field: str = "content"
    """Field with the passage's text."""
    filter: str | None = None
    """OData filter sent with every query."""
    query_type: Literal["simple", "semantic"] = "simple"
    """``semantic`` re-ranks by the service's language model."""
    semantic_configuration: str | None = None
    """The index's semantic configuration, for ``query_type: semantic``."""
    timeout: float = Field(20.0, gt=0)
    """Seconds after which a query is given up and tried again."""
    attempts: int = Field(6, ge=1, le=100)
    """How often one query is tried."""

    @model_validator(mode="after")
    def _semantic(self) -> AzureAISearchConfig:
        if (self.query_type == "semantic") != (self.semantic_configuration is not None):
            raise ValueError("query_type semantic and semantic_configuration belong together")
        return self


@dataclass
class AzureAISearchRetriever:
    """Searches an index; source of the wire form: "Documents - Search Post", Azure AI Search REST reference."""

    name: str
    config: AzureAISearchConfig
    endpoint: str
    headers: Headers
    _connections: Connections = field(default_factory=Connections, init=False)
    _service: Service = field(init=False)

    def __post_init__(self) -> None:
        """Begin with a service that has not failed yet."""
        self._service = Service(self._where, RetryPolicy(self.config.timeout, self.config.attempts))

    @property
    def identity(self) -> Mapping[str, Any]:
        """The service, the index and how it is asked. What the index holds at the time is not known."""
        how = self.config.model_dump(exclude={"endpoint", "api_key", "timeout", "attempts"})
        return {**how, "endpoint": self.endpoint}

    async def search(self, query: str, count: int | None = None) -> Sequence[Passage]:
        """Ask the service; passing faults are tried again. See :class:`driftgate.flows.retrieval.Retriever`."""
        return await self._service.ask(lambda: self._ask(query, count or self.config.count))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    @property
    def _who(self) -> str:
        return f"retriever '{self.name}'"

    @property
    def _where(self) -> str:
        return named(self._who, self.endpoint)

    async def _ask(self, query: str, count: int) -> list[Passage]:
        config = self.config
        fields = dict.fromkeys([config.id_field, config.document_field or config.id_field, config.text_field])
        body: dict[str, Any] = {"search": query, "top": count, "select": ",".join(fields)}
        if config.filter:
            body["filter"] = config.filter
        if config.query_type == "semantic":
            body |= {"queryType": "semantic", "semanticConfiguration": config.semantic_configuration}
        url = f"{self.endpoint}/indexes/{quote(config.index, safe='')}/docs/search"
        with in_its_words(self._where):
            async with asyncio.timeout(config.timeout):
                received = await self._connections.ask(
                    "POST",
                    url,
                    params={"api-version": config.api_version},
                    json=body,
                    headers=dict(await self.headers()),
                )
        if received.status not in (200, 206):  # 206: not all could be searched in time, and results are given
            raise refused(
                self._who,
                self.endpoint,
                received,
                key="check its api_key, or the role Search Index Data Reader",
                address="check its endpoint, its index and its api_version",
            )
        content = received.body
        try:
            return [self._passage(hit) for hit in read_json(content)["value"]]
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise Unavailable(
                f"{self._where}: the reply holds no results ({problem}): {content[:60].decode(errors='replace')!r}"
            ) from problem

    def _passage(self, hit: Mapping[str, Any]) -> Passage:
        config = self.config
        document = well_formed(str(hit[config.document_field or config.id_field]))
        text, id_ = well_formed(str(hit[config.text_field])), well_formed(str(hit[config.id_field]))
        return Passage(id_, document, text, _score(hit.get("@search.rerankerScore") or hit.get("@search.score") or 0))


def _score(told: Any) -> float:
    """A hit's score.

    Raises
    ------
    TypeError
        It is no finite number, and hits could not be put into an order.
    """
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        raise TypeError(f"a score is {told!r}")
    return float(told)


def open_retriever(name: str, config: AzureAISearchConfig, folder: Path) -> AzureAISearchRetriever:
    """Make the retriever; nothing is asked yet."""
    endpoint = resolve(config.endpoint, f"retrievers.{name}.endpoint").rstrip("/")
    if config.api_key is None:
        return AzureAISearchRetriever(name, config, endpoint, token_headers(f"retriever '{name}'", SCOPE))
    key = resolve_secret(config.api_key, f"retrievers.{name}.api_key")

    async def headers() -> Mapping[str, str]:
        return {"api-key": key}

    return AzureAISearchRetriever(name, config, endpoint, headers)


def check(name: str, config: AzureAISearchConfig, folder: Path) -> str:
    """Connect to the service's host."""
    return check_connection(name, open_retriever(name, config, folder).endpoint, kind="retriever")


KIND = RetrieverKind(AzureAISearchConfig, open_retriever, check)
