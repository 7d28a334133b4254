"""LoRA adapters as GGUF files, the form llama.cpp loads over a quantised base."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from driftgate.finetune.train._architectures import ARCHITECTURES, GGUF_NAMES
from driftgate.flows.errors import DriftgateError

Matrix = npt.NDArray[np.float32]

_MODULES = {name: served for found in ARCHITECTURES.values() for name, served in found.layers.items()}
_MODULE = re.compile(rf"layers\.(\d+)\.({'|'.join(re.escape(name) for name in _MODULES)})$")
_TENSOR = re.compile(r"(blk\.\d+\.\w+)\.weight\.lora_([ab])")


@dataclass(frozen=True)
class Adapter:
    """The low-rank updates of a model's linear layers."""

    architecture: str
    """llama.cpp's name, for example ``gemma3`` or ``llama``."""
    alpha: float
    layers: Mapping[str, tuple[Matrix, Matrix]]
    """By transformers' name (``layers.0.self_attn.q_proj``): A, shape (rank, inputs), and B, shape (outputs, rank)."""
    heads: int = 0
    """Attention heads of the queries; needed for ``llama``."""
    key_heads: int = 0
    """Attention heads of the keys; needed for ``llama``."""

    @property
    def rank(self) -> int:
        """Rank of the updates."""
        return int(next(iter(self.layers.values()))[0].shape[0])


def interleave_halves(matrix: Matrix, heads: int) -> Matrix:
    """Put the rows of each head in llama.cpp's rotary order: first half and second half in turns.

    Source: ``LlamaModel.permute`` in llama.cpp's ``convert_hf_to_gguf.py``. transformers turns element i of a head
    together with element i + half, llama.cpp's ``llama`` architecture element 2i with 2i + 1.

    Examples
    --------
    >>> interleave_halves(np.arange(8, dtype=np.float32)[:, None], heads=2)[:, 0].tolist()
    [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]
    """
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def separate_halves(matrix: Matrix, heads: int) -> Matrix:
    """Undo :func:`interleave_halves`."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_adapter(path: Path, adapter: Adapter, notes: Mapping[str, str] | None = None) -> None:
    """Write an adapter as a LoRA GGUF, matrices in half precision, all or nothing.

    Source: llama.cpp's ``convert_lora_to_gguf.py``.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    adapter : Adapter
        What to write.
    notes : Mapping of str to str, optional
        Further metadata, such as ``driftgate.base.sha256``.

    Raises
    ------
    DriftgateError
        A layer's name is none that can be served.
    """
    from gguf import GGUFType, GGUFWriter, Keys

    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        writer = GGUFWriter(aside, adapter.architecture)
        writer.add_type(GGUFType.ADAPTER)
        writer.add_string(Keys.Adapter.TYPE, "lora")
        writer.add_float32(Keys.Adapter.LORA_ALPHA, adapter.alpha)
        for key, value in (notes or {}).items():
            writer.add_string(key, value)
        for name, (a, b) in adapter.layers.items():
            tensor = _tensor_name(name)
            b = interleave_halves(b, heads) if (heads := _rotary_heads(tensor, adapter)) else b
            writer.add_tensor(f"{tensor}.weight.lora_a", np.ascontiguousarray(a, dtype=np.float16))
            writer.add_tensor(f"{tensor}.weight.lora_b", np.ascontiguousarray(b, dtype=np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_adapter(path: Path, heads: int = 0, key_heads: int = 0) -> Adapter:
    """Read an adapter that :func:`write_adapter` wrote.

    Parameters
    ----------
    path : Path
        A LoRA GGUF.
    heads, key_heads : int
        Attention heads of the model, which the file does not tell; needed for ``llama``.

    Raises
    ------
    DriftgateError
        The file is not a LoRA GGUF.
    """
    from gguf import GGUFReader, Keys

    try:
        reader = GGUFReader(path)
        architecture = str(reader.fields[Keys.General.ARCHITECTURE].contents())
        alpha = float(reader.fields[Keys.Adapter.LORA_ALPHA].contents())
    except (OSError, ValueError, KeyError) as problem:
        raise DriftgateError(
            f"{path} is not a LoRA adapter in GGUF: {problem}", "name the file a trainer wrote"
        ) from None
    shell = Adapter(architecture, alpha, {}, heads, key_heads)
    pairs: dict[str, dict[str, Matrix]] = {}
    for tensor in reader.tensors:
        if match := _TENSOR.fullmatch(tensor.name):
            pairs.setdefault(match[1], {})[match[2]] = np.array(tensor.data, dtype=np.float32)
    layers = {}
    for name, pair in pairs.items():
        b = separate_halves(pair["b"], turned) if (turned := _rotary_heads(name, shell)) else pair["b"]
        layers[_layer_name(name, architecture)] = (pair["a"], b)
    return Adapter(architecture, alpha, layers, heads, key_heads)


def layers_of(parameters: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Pair the A and B parameters of a PEFT model by the layer they belong to.

    Parameters
    ----------
    parameters : Mapping
        Parameters by PEFT's name, such as ``base_model.model.model.layers.0.mlp.up_proj.lora_A.default.weight``;
        others are passed over.
    """
    pairs: dict[str, dict[str, Any]] = {}
    for name, value in parameters.items():
        module, mark, rest = name.partition(".lora_")
        if mark and (match := _MODULE.search(module)):
            pairs.setdefault(match[0], {})[rest[0]] = value
    return {name: (pair["A"], pair["B"]) for name, pair in pairs.items()}


def _tensor_name(layer: str) -> str:
    match = _MODULE.fullmatch(layer)
    if match is None:
        raise DriftgateError(f"llama.cpp has no place for an adapter on '{layer}'", "put it on the linear layers only")
    return f"blk.{match[1]}.{_MODULES[match[2]]}"


def _layer_name(tensor: str, architecture: str) -> str:
    _, number, kind = tensor.split(".")
    own = GGUF_NAMES[architecture].layers if architecture in GGUF_NAMES else _MODULES
    modules = {served: name for name, served in own.items()}
    return f"layers.{number}.{modules[kind]}"


def _rotary_heads(tensor: str, adapter: Adapter) -> int:
    """Heads whose rows are to be turned round; 0 where the order is the same in both."""
    if adapter.architecture not in GGUF_NAMES or not GGUF_NAMES[adapter.architecture].interleaved:
        return 0
    heads = {"attn_q": adapter.heads, "attn_k": adapter.key_heads}.get(tensor.rpartition(".")[2])
    if heads == 0:
        raise DriftgateError(
            f"an adapter for the architecture '{adapter.architecture}' needs its numbers of heads", "give them"
        )
    return heads or 0
