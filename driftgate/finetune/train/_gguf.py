"""A GGUF without its vocabulary: what a model's weights and shape are read from, in seconds and not in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_VOCABULARY = "tokenizer."


def without_vocabulary(source: Path, target: Path) -> None:
    """Copy a GGUF without the long lists of its tokenizer; the vocabulary's size is noted in their place.

    transformers reads every field of a file twice, each token of a vocabulary by some calls of Python. Fields and
    tensors are copied as ``gguf-py`` copies them in its ``gguf_new_metadata.py``.

    Raises
    ------
    ValueError
        The file is no GGUF.
    KeyError
        It does not say of which architecture it is.
    """
    from gguf import GGUFValueType, GGUFWriter

    reader = _quick_reader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = GGUFWriter(target, architecture, endianess=reader.endianess)
    tokens = reader.fields.get("tokenizer.ggml.tokens")
    if tokens is not None and f"{architecture}.vocab_size" not in reader.fields:
        writer.add_vocab_size(len(tokens.data))
    for name, field in reader.fields.items():
        kind, *of = field.types
        is_list = kind == GGUFValueType.ARRAY
        # The writer has written the architecture; what begins with GGUF counts what is in the file.
        if name.startswith("GGUF.") or name == "general.architecture" or (is_list and name.startswith(_VOCABULARY)):
            continue
        writer.add_key_value(name, field.contents(), kind, sub_type=of[-1] if is_list else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _quick_reader(source: Path) -> Any:
    from gguf import GGUFReader
    from numpy import asarray

    class QuickReader(GGUFReader):  # type: ignore[misc]  # gguf has no types
        """Sees the file as a plain array: a part of a ``memmap`` takes ten times as long to make."""

        @property
        def data(self) -> Any:
            return self._data

        @data.setter
        def data(self, mapped: Any) -> None:
            self._data = asarray(mapped)

    return QuickReader(source)
