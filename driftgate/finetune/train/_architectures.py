"""Which models can be trained, what their layers are called, and how llama.cpp calls them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftgate.flows.errors import DriftgateError

_SPLIT: Mapping[str, str] = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_FUSED: Mapping[str, str] = {
    "self_attn.qkv_proj": "attn_qkv",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass(frozen=True)
class Architecture:
    """A family of models that was trained, saved, served and scored in the tests."""

    gguf: str
    """llama.cpp's name of it."""
    layers: Mapping[str, str]
    """Its linear layers but the output head, on which a LoRA is put: transformers' name to llama.cpp's."""
    interleaved: bool = False
    """llama.cpp wants the rows of the queries and keys in another order; see :func:`interleave_halves`."""

    @property
    def targets(self) -> list[str]:
        """The layers by the last part of their names, as peft wants them."""
        return [name.partition(".")[2] for name in self.layers]


ARCHITECTURES: Mapping[str, Architecture] = {
    "exaone4": Architecture("exaone4", _SPLIT),
    "gemma2": Architecture("gemma2", _SPLIT),
    "gemma3_text": Architecture("gemma3", _SPLIT),
    "llama": Architecture("llama", _SPLIT, interleaved=True),
    "mistral": Architecture("llama", _SPLIT, interleaved=True),
    "phi3": Architecture("phi3", _FUSED),
    "qwen2": Architecture("qwen2", _SPLIT),
    "qwen3": Architecture("qwen3", _SPLIT),
}
"""By the model type of transformers. Phi-3, Phi-3.5, Phi-4 and Phi-4-mini are ``phi3``; Qwen2.5 is ``qwen2``; Llama 2
to 3.3, and models that kept its layout (Kanana, SmolLM2), are ``llama``."""
GGUF_NAMES: Mapping[str, Architecture] = {
    found.gguf: found for name, found in ARCHITECTURES.items() if name != "mistral"
}
"""By llama.cpp's name."""


def architecture_of(model_type: str, who: str = "the base model") -> Architecture:
    """Look a model type up.

    Raises
    ------
    DriftgateError
        It is none that can be trained.

    Examples
    --------
    >>> architecture_of("phi3").targets
    ['qkv_proj', 'o_proj', 'gate_up_proj', 'down_proj']
    """
    if model_type not in ARCHITECTURES:
        raise DriftgateError(
            f"{who} is of the architecture '{model_type}', which cannot be trained here",
            f"tune a model of one of: {', '.join(sorted(ARCHITECTURES))}",
        )
    return ARCHITECTURES[model_type]


def check_base(base: Path, who: str = "the base model") -> Architecture:
    """Say what a base is, from its header alone: before the weights are read, and before anything is paid.

    Parameters
    ----------
    base : Path
        A GGUF, or a model folder in the hub's format.

    Raises
    ------
    DriftgateError
        It is neither, or of an architecture that cannot be trained.
    """
    if base.is_dir():
        try:
            config: dict[str, Any] = json.loads((base / "config.json").read_bytes())
            model_type = str(config["model_type"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise DriftgateError(
                f"{who}, {base}, is no model folder: {problem}",
                "name a folder with config.json, weights and tokenizer, or a GGUF file",
            ) from problem
        return architecture_of(model_type, who)
    name = _gguf_architecture(base, who)
    if name not in GGUF_NAMES:
        raise DriftgateError(
            f"{who}, {base.name}, is a GGUF of the architecture '{name}', which cannot be trained here",
            f"tune a model of one of: {', '.join(sorted(GGUF_NAMES))}",
        )
    return GGUF_NAMES[name]


def _gguf_architecture(path: Path, who: str) -> str:
    """Read ``general.architecture``, which stands first in every GGUF, without a library and without the tensors."""
    from struct import error, unpack_from

    try:
        with path.open("rb") as file:
            head = file.read(4096)
        if head[:4] != b"GGUF":
            raise DriftgateError(f"{who}, {path.name}, is no GGUF", "name a GGUF file, or a model folder")
        (length,) = unpack_from("<Q", head, 24)
        key = head[32 : 32 + length]
        (kind, size) = unpack_from("<IQ", head, 32 + length)
    except (OSError, error) as problem:
        raise DriftgateError(f"{who}, {path.name}, cannot be read: {problem}", "put the file back") from problem
    if key != b"general.architecture" or kind != 8 or size > 64:
        return "unknown"
    return head[44 + length : 44 + length + size].decode(errors="replace")
