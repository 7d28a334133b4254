"""A model folder in the hub's format, run in this process by transformers; needs the extra ``train``."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from driftgate.flows import finish
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models._capabilities import cap_of
from driftgate.flows.models._document import as_document
from driftgate.flows.models._errors import ModelMisconfigured, RequestRejected
from driftgate.flows.models._types import Message, Reply
from driftgate.flows.models._usage import Usage

_KNOWN = ("temperature", "top_p", "seed")
_CONTENT = ("*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "*.bin")
"""Files that decide what a model folder answers."""


@dataclass
class HubModel:
    """A model of transformers in this process; it works in one thread of its own, so the event loop stays free."""

    name: str
    path: Path
    parameters: Mapping[str, Any]
    prompt_format: str
    context: int
    """Tokens of prompt and reply, at most."""
    threads: int
    top_tokens: int
    adapter: Path | None = None
    """Folder of an adapter as peft writes it."""
    _loaded: tuple[Any, Any] | None = field(default=None, init=False)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "transformers"), init=False)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The files' content and everything that shapes a reply; not the thread count."""
        return {
            "provider": "local",
            "sha256": folder_sha256(self.path),
            "prompt_format": self.prompt_format,
            "parameters": dict(self.parameters),
            "context": self.context,
            "top_tokens": self.top_tokens,
            **({"adapter": folder_sha256(self.adapter)} if self.adapter else {}),
        }

    async def complete(self, messages: Sequence[Message]) -> Reply:
        """Complete in the model's own thread; see :class:`driftgate.flows.models.Model`."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        text, end, usage, first = await loop.run_in_executor(self._thread, self._ask, list(messages))
        own = f"{self.path.name}+{self.adapter.parent.name}" if self.adapter else self.path.name
        return Reply(text, end, usage, loop.time() - began, own, first_token=first)

    async def aclose(self) -> None:
        """Free the model's memory."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._unload)
        self._thread.shutdown()

    def _unload(self) -> None:
        self._loaded = None

    def _ask(self, messages: Sequence[Message]) -> tuple[str, str, Usage, dict[str, float]]:
        import torch

        torch.set_num_threads(self.threads)
        self._loaded = self._loaded or _load(self.path, self.adapter)
        model, tokenizer = self._loaded
        prompt = prompt_tokens(messages, self.prompt_format, tokenizer)
        most = int(cap_of(self.parameters)[1] or 1)
        if len(prompt) + most > self.context:
            raise RequestRejected(
                f"{self.name}: {len(prompt)} tokens and a reply of {most} are more than its context of {self.context}"
            )
        temperature = float(self.parameters.get("temperature") or 0)
        sampled = {"temperature": temperature, "top_p": self.parameters.get("top_p", 1.0)} if temperature else {}
        if sampled and "seed" in self.parameters:
            torch.manual_seed(int(self.parameters["seed"]))
        with torch.inference_mode():
            made = model.generate(
                torch.tensor([prompt], device=model.device),
                attention_mask=torch.ones(1, len(prompt), dtype=torch.long, device=model.device),
                max_new_tokens=most,
                do_sample=bool(sampled),
                pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
                output_logits=True,
                return_dict_in_generate=True,
                **sampled,
            )
        wrote = made.sequences[0, len(prompt) :].tolist()
        first = torch.log_softmax(made.logits[0][0].float(), -1).topk(min(self.top_tokens, made.logits[0].shape[-1]))
        ended = bool(wrote) and wrote[-1] in _ends(model)
        return (
            tokenizer.decode(wrote, skip_special_tokens=True),
            finish.STOP if ended or len(wrote) < most else finish.LENGTH,
            Usage(len(prompt), len(wrote)),
            _by_text(tokenizer, prompt, first.indices.tolist(), first.values.tolist()),
        )


def prompt_tokens(messages: Sequence[Message], prompt_format: str, tokenizer: Any) -> list[int]:
    """The tokens that a model of transformers continues: the turns by its chat template, or as one text."""
    if prompt_format == "document":
        return list(tokenizer(as_document(messages)).input_ids)
    turns = [{"role": message.role, "content": message.content} for message in messages]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return list(tokenizer(text, add_special_tokens=False).input_ids)  # the template writes the special tokens itself


def _by_text(tokenizer: Any, before: list[int], tokens: list[int], logprobs: list[float]) -> dict[str, float]:
    """Log-probabilities by what is read, with its leading space; tokens that read alike are summed."""
    start = tokenizer.decode(before[-1:])
    found: dict[str, float] = {}
    for token, logprob in zip(tokens, logprobs, strict=True):
        text = tokenizer.decode([*before[-1:], token]).removeprefix(start)
        known = found.get(text)
        found[text] = logprob if known is None else max(known, logprob) + math.log1p(math.exp(-abs(known - logprob)))
    return {text: min(0.0, logprob) for text, logprob in found.items()}


def _ends(model: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends}


def _load(path: Path, adapter: Path | None) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype="auto").to(device)
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (OSError, ValueError, KeyError, RuntimeError) as problem:
        with_adapter = f" with the adapter {adapter.name}" if adapter else ""
        raise ModelMisconfigured(
            f"transformers cannot load {path.name}{with_adapter}: {problem}",
            "check that the folder is one that save_pretrained wrote, tokenizer included"
            + (", and that the adapter was trained for it" if adapter else ""),
        ) from problem
    return model.eval(), tokenizer


@cache
def folder_sha256(folder: Path) -> str:
    """SHA-256 of the files that decide what a model folder answers, by name and content; read once per process."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _CONTENT for path in folder.glob(pattern)}):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
    return digest.hexdigest()


def check_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that would be passed over in silence.

    Raises
    ------
    DriftgateError
        One is none of those that are used here.
    """
    unknown = set(parameters) - {*_KNOWN, cap_of(parameters)[0]}
    if unknown:
        raise DriftgateError(
            f"model '{name}' runs by transformers, which is not given the parameter '{min(unknown)}' here",
            f"use {', '.join(_KNOWN)} and max_tokens, or serve the folder with a server of its own",
        )
