"""The base model of a fine-tune, on the device it is trained on; a GGUF is unpacked once for transformers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from driftgate.finetune.train._files import sha256_of
from driftgate.finetune.train._gguf import without_vocabulary
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import installed
from driftgate.flows.private_files import make_folder, make_private

_QUANTISED = ("hf_quantizer", "is_quantized", "quantization_method")
"""What marks a model that came out of a GGUF; transformers refuses to save one that bears these."""


def load_base(source: Path, device: Any = "cpu", four_bit: bool = False) -> tuple[Any, Any]:
    """Load a model and its tokenizer onto a device, in the precision that the device is quick in.

    Parameters
    ----------
    source : Path
        A GGUF file, or a folder in the hub's format (``config.json``, ``model.safetensors``, ``tokenizer.json``).
    device : torch.device or str
        Where every parameter is afterwards.
    four_bit : bool
        Hold the weights in four bits (NF4), by bitsandbytes.

    Returns
    -------
    tuple
        A transformers model for causal language modelling, frozen, and its tokenizer.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = source if source.is_dir() else unpacked(source)
    device, dtype = torch.device(device), quick_dtype(device)
    # Eager attention: the fused kernels save nothing at these lengths on a CPU, and keep packed rows apart everywhere.
    settings: dict[str, Any] = {"attn_implementation": "eager", "dtype": dtype, "local_files_only": True}
    if four_bit:
        settings |= {"quantization_config": _nf4(dtype), "device_map": {"": device}}
    model = AutoModelForCausalLM.from_pretrained(folder, **settings)
    if not four_bit:
        model = model.to(device)
    return model.requires_grad_(False), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def device_for(wanted: str, four_bit: bool = False) -> Any:
    """The device to train on, as the recipe has it.

    Raises
    ------
    DriftgateError
        A graphics card is asked for, in so many words or by four bits, and cannot be used.
    """
    import torch

    there = torch.cuda.is_available()
    if (wanted == "cuda" or four_bit) and not there:
        what = "four_bit" if four_bit else "device: cuda"
        raise DriftgateError(
            f"the recipe says {what}, and torch {torch.__version__} finds no graphics card here",
            "train on a machine that has one, with a build of torch for it, or leave it out of the recipe",
        )
    if four_bit and (wanted == "cpu" or not installed("bitsandbytes")):
        missing = "device: cpu" if wanted == "cpu" else "bitsandbytes is not installed"
        raise DriftgateError(f"the recipe says four_bit, and {missing}", "pip install bitsandbytes, on a graphics card")
    if wanted == "cpu" or not there:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def device_name(device: Any) -> str:
    """What a device is called, for people: ``cpu`` or ``cuda:0 (NVIDIA H100 80GB HBM3)``."""
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


def quick_dtype(device: Any = "cpu") -> Any:
    """bfloat16 where the device multiplies it (a graphics card since Ampere, AVX512-BF16, AMX), else float32."""
    import torch

    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    # Public names for these do not exist yet; torch is pinned exactly.
    quick = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if quick else torch.float32


def _nf4(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def unpacked(gguf: Path) -> Path:
    """Unpack a GGUF into the user's cache folder in the hub's format, once, and return the folder.

    Making a tokenizer of a vocabulary of 262,144 tokens takes half a minute, loading the unpacked one a few seconds.

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

    make_folder(folder)
    weights = folder / "weights.gguf"
    try:
        without_vocabulary(gguf, weights)
        # Tensors of four bits need no more than bfloat16.
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=weights.name, dtype=torch.bfloat16)
        # Only to learn this class, AutoTokenizer would read the whole vocabulary once more.
        kind = GemmaTokenizer if model.config.model_type == "gemma3_text" else AutoTokenizer
        tokenizer = kind.from_pretrained(gguf.parent, gguf_file=gguf.name)
    except (OSError, ValueError, LookupError) as problem:
        raise DriftgateError(
            f"transformers cannot read {gguf.name}: {problem}", "fine-tune a model folder in the hub's format"
        ) from problem
    finally:
        weights.unlink(missing_ok=True)
    for mark in _QUANTISED:
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    make_private(folder)
