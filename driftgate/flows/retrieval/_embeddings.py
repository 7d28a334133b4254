"""Embeddings from any OpenAI-compatible endpoint, and where those of passages are kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import (
    AdaptiveLimit,
    ModelMisconfigured,
    RetryPolicy,
    Secret,
    Unavailable,
    count,
)
from driftgate.flows.models._asking import in_its_words
from driftgate.flows.models._azure_hosts import authentication, check_sign_in, is_azure
from driftgate.flows.models._chat_http import check_connection
from driftgate.flows.models._entra import Headers
from driftgate.flows.models._refusal import retry_after
from driftgate.flows.models._said import Address, address_of
from driftgate.flows.network import Connections, read_json
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.flows.retrieval._again import Service, named
from driftgate.flows.retrieval._refused import refused
from driftgate.flows.retrieval._retriever import Paid

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]

KEPT_IN = Path(".driftgate") / "embeddings"
"""Within the workspace: hashes of passages and their vectors, of each model in a folder of its own."""
_SUFFIX = ".vectors"
_MOST_DIMENSIONS = 65_536


class EmbeddingsConfig(BaseModel):
    """Embeddings from ``POST {endpoint}/embeddings``, as OpenAI, Azure OpenAI, vLLM, llama.cpp and TEI serve them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    endpoint: Address
    """Base address with its version part, for example ``http://127.0.0.1:8080/v1`` or
    ``https://RESOURCE.openai.azure.com/openai/v1``."""
    model: str
    """The model's name at the service; on Azure the deployment's."""
    api_key: Secret | None = None
    """``${env:NAME}`` of the key; leave out where the service asks for none. On Azure's own hosts an Entra ID token is
    then asked of ``DefaultAzureCredential``."""
    dimensions: int | None = Field(None, ge=1, le=_MOST_DIMENSIONS)
    """Asked of models that can shorten their vectors. Unset: as long as the model's are."""
    passage_prefix: str = ""
    """Put before each passage, where the model was trained so: ``passage: ``."""
    query_prefix: str = ""
    """Put before each question: ``query: ``."""
    weight: float = Field(18.0, gt=0, allow_inf_nan=False)
    """Weight of its ranking beside those of the words, which together have 12."""
    price: float | None = Field(None, ge=0, allow_inf_nan=False)
    """Price of a million tokens; 0 where they cost nothing. Unset: unknown, and so is the cost of a run."""
    currency: str = "USD"
    """Currency of the price."""
    batch: int = Field(64, ge=1, le=2048)
    """Passages of one request."""
    in_flight: int = Field(4, ge=1, le=256)
    """Requests under way at once, at most; fewer while the service answers 429."""
    timeout: float = Field(60.0, gt=0)
    """Seconds after which a request is given up and tried again."""
    attempts: int = Field(6, ge=1, le=100)
    """How often one request is tried."""

    def asked_of(self, endpoint: str) -> dict[str, Any]:
        """What determines the vectors of a text, without secrets."""
        wanted = self.model_dump(include={"model", "dimensions", "passage_prefix", "query_prefix"})
        return {"endpoint": endpoint, **wanted}


@dataclass
class Embedder:
    """Asks for vectors, of length 1; those of passages are kept in the workspace and asked for once."""

    who: str
    config: EmbeddingsConfig
    endpoint: str
    headers: Headers
    folder: Path
    """Where vectors are kept."""
    paid: list[Paid] = field(default_factory=list, init=False)
    _connections: Connections = field(default_factory=Connections, init=False)
    _limit: AdaptiveLimit = field(init=False)
    _service: Service = field(init=False)
    _queries: dict[str, Vectors] = field(default_factory=dict, init=False)
    _dimensions: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Begin with the limit that the configuration names."""
        self._limit = AdaptiveLimit(self.config.in_flight)
        self._service = Service(self._where, RetryPolicy(self.config.timeout, self.config.attempts))
        self._dimensions = self.config.dimensions

    async def of_passages(self, texts: Sequence[str]) -> Vectors:
        """The vectors of passages; shape (texts, dimensions).

        Raises
        ------
        ModelMisconfigured
            They were not to be had: nothing could be searched as it was meant.
        """
        import numpy as np

        said = [self.config.passage_prefix + text for text in texts]
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in said]
        known = read_vectors(self.folder)
        missing = list({key: text for key, text in zip(keys, said, strict=True) if key not in known}.items())
        parts = [missing[i : i + self.config.batch] for i in range(0, len(missing), self.config.batch)]

        async def ask(part: list[tuple[str, str]]) -> None:
            found = await self._service.ask(lambda: self._ask([text for _, text in part]))
            write_vectors(self.folder, [key for key, _ in part], found)
            known.update(zip((key for key, _ in part), found, strict=True))

        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(ask(part))
        except* Exception as problems:
            raise self._stopped(_first(problems)) from problems
        lengths = {len(known[key]) for key in keys}
        if len(lengths) > 1:
            raise ModelMisconfigured(
                f"{self.who}: its passages' embeddings have {' and '.join(map(str, sorted(lengths)))} dimensions",
                f"the endpoint serves another model under the same name now: delete {self.folder}",
            )
        self._dimensions = lengths.pop()
        return np.stack([known[key] for key in keys])

    async def of_query(self, text: str) -> Vectors:
        """The vector of a question; shape (dimensions,).

        Raises
        ------
        ModelError
            It was not to be had.
        """
        if text not in self._queries:
            (found,) = await self._service.ask(lambda: self._ask([self.config.query_prefix + text]))
            self._queries[text] = found
        return self._queries[text]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    def _stopped(self, first: Exception) -> Exception:
        if isinstance(first, ModelMisconfigured) or not isinstance(first, DriftgateError):
            return first
        return ModelMisconfigured(
            f"{self.who}: its passages have no embeddings: {first.message}",
            "nothing is searched by words alone in their stead: see that the endpoint answers, and go on",
        )

    @property
    def _where(self) -> str:
        return named(self.who, self.endpoint)

    async def _ask(self, texts: Sequence[str]) -> Vectors:
        body: dict[str, Any] = {"model": self.config.model, "input": list(texts)}
        if self.config.dimensions is not None:
            body["dimensions"] = self.config.dimensions
        url = f"{self.endpoint}/embeddings"
        async with self._limit:
            with in_its_words(self._where):
                async with asyncio.timeout(self.config.timeout):
                    received = await self._connections.ask("POST", url, json=body, headers=dict(await self.headers()))
            if received.status == 429:
                self._limit.refused(retry_after(received.headers))
        if received.status != 200:
            raise refused(
                self.who,
                self.endpoint,
                received,
                key="check the api_key of its embeddings",
                address="check the endpoint and the model of its embeddings",
            )
        self._limit.succeeded()
        try:
            told = read_json(received.body)
            vectors = self._read(told, len(texts))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            self._pay({})
            raise Unavailable(
                f"{self._where}: the reply holds no embeddings ({problem}): "
                f"{received.body[:60].decode(errors='replace')!r}"
            ) from problem
        self._pay(told)
        return vectors

    def _read(self, told: Mapping[str, Any], wanted: int) -> Vectors:
        """The vectors of a reply, each of length 1, in the order of the texts.

        Raises
        ------
        ValueError, KeyError, TypeError
            They are not one for each text, of one length, of finite numbers.
        """
        import numpy as np

        placed = {int(one["index"]): one["embedding"] for one in told["data"]}
        if sorted(placed) != list(range(wanted)):
            raise ValueError(f"{len(placed)} embeddings for {wanted} texts")
        rows = [placed[number] for number in range(wanted)]
        if any(isinstance(value, bool) or not isinstance(value, int | float) for row in rows for value in row):
            raise TypeError("an embedding holds what is no number")
        lengths = {len(row) for row in rows} | ({self._dimensions} if self._dimensions else set())
        if len(lengths) != 1 or not 0 < max(lengths) <= _MOST_DIMENSIONS:
            raise ValueError(f"embeddings of {' and '.join(map(str, sorted(lengths)))} dimensions")
        found = np.asarray(rows, dtype=np.float64)
        norms = np.linalg.norm(found, axis=1)
        if not np.isfinite(norms).all() or (norms == 0).any():
            raise ValueError("an embedding has no direction")
        return np.asarray(found / norms[:, None], dtype=np.float32)

    def _pay(self, told: Mapping[str, Any]) -> None:
        used = told.get("usage")
        tokens = count(used.get("prompt_tokens", used.get("total_tokens")), least=1) if isinstance(used, dict) else None
        price = self.config.price
        cost = 0.0 if price == 0 else None if tokens is None or price is None else tokens * price / 1e6
        self.paid.append(Paid(tokens, cost, self.config.currency))


def _first(problem: Exception) -> Exception:
    return _first(problem.exceptions[0]) if isinstance(problem, ExceptionGroup) else problem


def open_embedder(name: str, config: EmbeddingsConfig, folder: Path) -> Embedder:
    """Make it; nothing is asked yet.

    Raises
    ------
    DriftgateError
        A variable of the environment is not set.
    """
    where = f"retrievers.{name}.embeddings"
    endpoint = address_of(config.endpoint, f"{where}.endpoint")
    key = resolve_secret(config.api_key, f"{where}.api_key") if config.api_key else None
    who = f"retriever '{name}'"
    asked = json.dumps(config.asked_of(endpoint), sort_keys=True).encode()
    kept = folder / KEPT_IN / hashlib.sha256(asked).hexdigest()[:16]
    return Embedder(who, config, endpoint, authentication(who, endpoint, key, azure=is_azure(endpoint)), kept)


def check_embeddings(name: str, config: EmbeddingsConfig, folder: Path) -> str:
    """Connect to the endpoint's host.

    Raises
    ------
    DriftgateError
        Nothing answers there, or a variable of the environment is not set.
    """
    endpoint = open_embedder(name, config, folder).endpoint
    check_sign_in(f"retriever '{name}'", azure=is_azure(endpoint), keyed=config.api_key is not None)
    return check_connection(name, endpoint, kind="retriever")


def write_vectors(folder: Path, keys: Sequence[str], vectors: Vectors) -> None:
    """Keep the vectors of one request in a file of their own, so that processes need not wait for each other."""
    make_folder(folder)
    head = json.dumps({"keys": list(keys), "dimensions": int(vectors.shape[1])}).encode()
    name = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]
    replace_file(folder / f"{name}{_SUFFIX}", head + b"\n" + vectors.astype("<f4").tobytes())


def read_vectors(folder: Path) -> dict[str, Vectors]:
    """All vectors that are kept in a folder, by the hash of their text; a file that cannot be one is passed over."""
    import numpy as np

    found: dict[str, Vectors] = {}
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        head, _, body = file.read_bytes().partition(b"\n")
        try:
            told = json.loads(head)
            keys, dimensions = list(told["keys"]), int(told["dimensions"])
            vectors = np.frombuffer(body, dtype="<f4").reshape(len(keys), dimensions)
        except (ValueError, KeyError, TypeError):
            continue
        norms = np.linalg.norm(vectors, axis=1) if len(keys) else np.ones(0)
        if all(math.isclose(float(norm), 1.0, abs_tol=1e-3) for norm in norms):
            found.update(zip(keys, vectors, strict=True))
    return found
