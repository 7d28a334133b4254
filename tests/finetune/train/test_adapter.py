"""Adapters in GGUF come back as they were written, and say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from driftgate.finetune.train._adapter import (
    Adapter,
    interleave_halves,
    layers_of,
    read_adapter,
    separate_halves,
    write_adapter,
)
from driftgate.flows.errors import DriftgateError

pytest.importorskip("gguf", reason="writing adapters needs finetune/requirements.txt")

_LAYERS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)


def _adapter(architecture: str, rank: int = 3) -> Adapter:
    rng = np.random.default_rng(rank)
    # Halves survive the way through half precision only if they fit into it.
    layers = {
        f"layers.{number}.{layer}": tuple(
            rng.standard_normal(shape).astype(np.float16).astype(np.float32) for shape in ((rank, 12), (16, rank))
        )
        for number in (0, 11)
        for layer in _LAYERS
    }
    return Adapter(architecture, 6.0, layers, heads=4, key_heads=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["gemma3", "llama"])
@pytest.mark.parametrize("rank", [1, 3])
def test_an_adapter_comes_back_as_it_was_written(tmp_path: Path, architecture: str, rank: int) -> None:
    written = _adapter(architecture, rank)
    write_adapter(tmp_path / "a.gguf", written, {"driftgate.base.sha256": "ab"})
    read = read_adapter(tmp_path / "a.gguf", heads=4, key_heads=2)
    assert (read.architecture, read.alpha, read.rank) == (architecture, 6.0, rank)
    assert set(read.layers) == set(written.layers)
    for name, (a, b) in written.layers.items():
        np.testing.assert_array_equal(read.layers[name][0], a)
        np.testing.assert_array_equal(read.layers[name][1], b)
    assert [file.name for file in tmp_path.iterdir()] == ["a.gguf"]


def test_the_file_is_what_llama_cpp_expects(tmp_path: Path) -> None:
    from gguf import GGUFReader

    write_adapter(tmp_path / "a.gguf", _adapter("llama"))
    reader = GGUFReader(tmp_path / "a.gguf")
    said = {key: reader.fields[key].contents() for key in ("general.type", "adapter.type", "adapter.lora.alpha")}
    assert said == {"general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 6.0}
    shapes = {tensor.name: tuple(tensor.data.shape) for tensor in reader.tensors}
    assert shapes["blk.11.attn_q.weight.lora_a"] == (3, 12)
    assert shapes["blk.0.ffn_down.weight.lora_b"] == (16, 3)
    assert {tensor.tensor_type.name for tensor in reader.tensors} == {"F16"}


def test_only_the_rotary_rows_of_llama_are_turned_round(tmp_path: Path) -> None:
    from gguf import GGUFReader

    adapter = _adapter("llama")
    write_adapter(tmp_path / "a.gguf", adapter)
    stored = {
        tensor.name: np.array(tensor.data, dtype=np.float32) for tensor in GGUFReader(tmp_path / "a.gguf").tensors
    }
    q, k, v = (adapter.layers[f"layers.0.self_attn.{n}_proj"][1] for n in "qkv")
    np.testing.assert_array_equal(stored["blk.0.attn_q.weight.lora_b"], interleave_halves(q, 4))
    np.testing.assert_array_equal(stored["blk.0.attn_k.weight.lora_b"], interleave_halves(k, 2))
    np.testing.assert_array_equal(stored["blk.0.attn_v.weight.lora_b"], v)
    np.testing.assert_array_equal(separate_halves(interleave_halves(q, 4), 4), q)


def test_what_cannot_be_served_is_refused(tmp_path: Path) -> None:
    one = next(iter(_adapter("gemma3").layers.values()))
    with pytest.raises(DriftgateError, match="no place for an adapter"):
        write_adapter(tmp_path / "a.gguf", Adapter("gemma3", 1.0, {"lm_head": one}))
    with pytest.raises(DriftgateError, match="numbers of heads"):
        write_adapter(tmp_path / "a.gguf", Adapter("llama", 1.0, {"layers.0.self_attn.q_proj": one}))
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_not_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"not a GGUF at all")
    with pytest.raises(DriftgateError, match="not a LoRA adapter"):
        read_adapter(tmp_path / "a.gguf")


def test_parameters_are_paired_by_layer() -> None:
    start = "base_model.model.model.layers.5.mlp.gate_proj"
    names = {f"{start}.lora_A.default.weight": 1, f"{start}.lora_B.default.weight": 2, "base_model.model.lm_head": 3}
    assert layers_of(names) == {"layers.5.mlp.gate_proj": (1, 2)}
