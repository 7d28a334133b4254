"""The base model of a fine-tune: a GGUF unpacked once for transformers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from driftgate.finetune.train._files import sha256_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder, make_private

_QUANTISED = ("hf_quantizer", "is_quantized", "quantization_method")
"""What marks a model that came out of a GGUF; transformers refuses to save one that bears these."""


def load_base(source: Path) -> tuple[Any, Any]:
    """Load a model and its tokenizer, in the precision this processor is quick in.

    Parameters
    ----------
    source : Path
        A GGUF file, or a folder in the hub's format (``config.json``, ``model.safetensors``, ``tokenizer.json``).

    Returns
    -------
    tuple
        A transformers model for causal language modelling, frozen, and its tokenizer.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = source if source.is_dir() else unpacked(source)
    # Eager attention: the fused kernels save nothing at these lengths on a CPU.
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=quick_dtype())
    return model.requires_grad_(False), AutoTokenizer.from_pretrained(folder)


def quick_dtype() -> Any:
    """bfloat16 where the processor multiplies it (AVX512-BF16, AMX, a GPU), else float32: 2.3 times slower there."""
    import torch

    # Public names for these do not exist yet; torch is pinned exactly.
    quick = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if quick else torch.float32


def unpacked(gguf: Path) -> Path:
    """Unpack a GGUF into the user's cache folder in the hub's format, once, and return the folder.

    Reading a vocabulary of 262,144 tokens out of the GGUF takes a minute or two, the unpacked folder a second.

    Raises
    ------
    DriftgateError
        The file is not a GGUF that transformers can read.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "driftgate"
    target = cache / f"{gguf.stem}-{sha256_of(gguf)[:12]}"
    if not target.exists():
        aside = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            _unpack(gguf, aside)
            try:
                aside.rename(target)
            except OSError:  # another process was quicker; its folder holds the same
                if not target.exists():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return target


def _unpack(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GemmaTokenizer

    try:
        # Tensors of four bits need no more than bfloat16.
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
        # Only to learn this class, AutoTokenizer would read the whole vocabulary once more.
        kind = GemmaTokenizer if model.config.model_type == "gemma3_text" else AutoTokenizer
        tokenizer = kind.from_pretrained(gguf.parent, gguf_file=gguf.name)
    except (OSError, ValueError, KeyError) as problem:
        raise DriftgateError(
            f"transformers cannot read {gguf.name}: {problem}", "fine-tune a GGUF of the architecture gemma3 or llama"
        ) from problem
    for mark in _QUANTISED:
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    make_folder(folder)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    make_private(folder)
