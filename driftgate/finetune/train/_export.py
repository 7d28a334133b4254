"""A tuned model as one GGUF: its adapter merged into the base, and the weights quantised: what is cheapest to serve.

Quantisation is by what is packaged: ``gguf`` writes 8 and 5 bits; llama.cpp's own function, which ``xllamacpp``
exports, writes the 4-bit blocks of 256.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from driftgate.finetune.train._files import sha256_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_private

Quantised = Literal["q8", "q4"]
"""``q8``: 8.5 bits a weight. ``q4``: 4.5 bits (Q4_K), 5.5 (Q5_0) where a row is no multiple of 256, 8.5 for the
vocabulary's matrix, which a small model is most sensitive to."""
_BLOCK, _WIDE = 32, 256
"""Weights that share a scale: a row is a whole number of blocks, else its matrix stays in 16 bits."""
_PLAIN = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class Exported:
    """A model that was written."""

    path: Path
    sha256: str
    bytes: int
    merged: int
    """Matrices that the adapter changed."""
    types: Mapping[str, int]
    """Matrices and vectors by their type in llama.cpp's words."""


def export_gguf(base: Path, adapter: Path | None, out: Path, quantised: Quantised) -> Exported:
    """Write ``base`` with ``adapter`` merged into it, all or nothing.

    What the adapter does not change and is quantised already stays as it is: no second rounding.

    Raises
    ------
    DriftgateError
        One of the files is no such GGUF, the adapter belongs to another base, or the library cannot quantise.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, LlamaFileType
    from gguf.quants import dequantize

    try:
        reader = GGUFReader(base)
        architecture = str(reader.fields["general.architecture"].contents())
    except (OSError, ValueError, KeyError) as problem:
        raise DriftgateError(f"{base} is no GGUF: {problem}", "name the GGUF of a model of provider local") from None
    updates = _updates(adapter, architecture) if adapter is not None else {}
    unknown = set(updates) - {tensor.name for tensor in reader.tensors}
    if unknown:
        raise DriftgateError(
            f"the adapter changes '{min(unknown)}', which {base.name} does not have",
            "export it over the base that it was trained for",
        )
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    types: dict[str, int] = {}
    try:
        writer = GGUFWriter(aside, architecture, use_temp_file=True)
        _copy_fields(reader, writer)
        writer.add_file_type(LlamaFileType.MOSTLY_Q8_0 if quantised == "q8" else LlamaFileType.MOSTLY_Q4_K_M)
        for tensor in reader.tensors:
            data, kind = tensor.data, tensor.tensor_type
            update = updates.get(tensor.name)
            if len(tensor.shape) == 2 and (update is not None or kind.name in _PLAIN):
                whole = dequantize(data, kind).astype(np.float32)
                if update is not None:
                    whole = _changed(tensor.name, whole, update)
                kind = GGMLQuantizationType[_type_of(tensor.name, whole.shape[1], quantised)]
                data = quantise(whole, kind.name)
            writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=kind)
            types[kind.name] = types.get(kind.name, 0) + 1
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        make_private(aside)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    return Exported(out, sha256_of(out), out.stat().st_size, len(updates), dict(sorted(types.items())))


def quantise(matrix: npt.NDArray[np.float32], kind: str) -> npt.NDArray[Any]:
    """Quantise the rows of a matrix to a type of llama.cpp.

    Raises
    ------
    DriftgateError
        The packaged libraries do not write that type.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import quantize

    wanted = GGMLQuantizationType[kind]
    try:
        found: npt.NDArray[Any] = quantize(matrix, wanted)
        return found
    except NotImplementedError:
        block, size = GGML_QUANT_SIZES[wanted]
    rows, columns = matrix.shape
    given = np.ascontiguousarray(matrix, dtype=np.float32)
    made = np.empty((rows, columns // block * size), dtype=np.uint8)
    written = _chunk()(int(wanted), given.ctypes.data, made.ctypes.data, 0, rows, columns, None)
    if written != made.nbytes:
        raise DriftgateError(f"llama.cpp wrote {written} bytes of {kind} for {made.nbytes}", "export q8 instead")
    return made


@cache
def _chunk() -> Any:
    """``ggml_quantize_chunk`` of the llama.cpp that is installed."""
    import xllamacpp.xllamacpp as packaged

    try:
        found = ctypes.CDLL(packaged.__file__).ggml_quantize_chunk
    except (OSError, AttributeError) as problem:
        raise DriftgateError(f"the installed xllamacpp does not quantise: {problem}", "export q8 instead") from None
    found.restype = ctypes.c_size_t
    wide, pointer = ctypes.c_int64, ctypes.c_void_p
    found.argtypes = [ctypes.c_int, pointer, pointer, wide, wide, wide, pointer]
    return found


def _type_of(name: str, columns: int, quantised: Quantised) -> str:
    if columns % _BLOCK:
        return "F16"
    if quantised == "q8" or not name.startswith("blk."):
        return "Q8_0"
    return "Q4_K" if columns % _WIDE == 0 else "Q5_0"


def _updates(path: Path, architecture: str) -> dict[str, npt.NDArray[np.float32]]:
    """What a LoRA GGUF adds to each matrix, in llama.cpp's own order of rows."""
    from gguf import GGUFReader, Keys

    try:
        reader = GGUFReader(path)
        own = str(reader.fields[Keys.General.ARCHITECTURE].contents())
        alpha = float(reader.fields[Keys.Adapter.LORA_ALPHA].contents())
    except (OSError, ValueError, KeyError) as problem:
        raise DriftgateError(f"{path} is not a LoRA adapter in GGUF: {problem}", "name one a trainer wrote") from None
    if own != architecture:
        raise DriftgateError(
            f"the adapter {path.name} is for the architecture '{own}', the base is '{architecture}'",
            "export it over the base that it was trained for",
        )
    parts = {tensor.name: np.array(tensor.data, dtype=np.float32) for tensor in reader.tensors}
    names = {name.removesuffix(".lora_a") for name in parts if name.endswith(".lora_a")}
    found = {}
    for name in names:
        a, b = parts[f"{name}.lora_a"], parts[f"{name}.lora_b"]
        found[name] = np.asarray(alpha / len(a) * b @ a, dtype=np.float32)
    return found


def _changed(name: str, whole: npt.NDArray[np.float32], update: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if whole.shape != update.shape:
        raise DriftgateError(
            f"the adapter changes {name} of {update.shape[0]} by {update.shape[1]}, the base's is "
            f"{whole.shape[0]} by {whole.shape[1]}",
            "export it over the base that it was trained for",
        )
    return whole + update


def _copy_fields(reader: Any, writer: Any) -> None:
    """Copy what the base says of itself, tokenizer and chat template included."""
    from gguf import GGUFValueType

    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        sub = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=sub)
