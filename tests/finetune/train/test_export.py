"""A tuned model as one quantised GGUF answers like base and adapter, and says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from tiny_gguf import HEADS, INNER, KEY_HEADS, LAYERS, LETTERS, WIDTH, write_tiny_gguf

import driftgate
from driftgate.finetune.train._adapter import Adapter, write_adapter
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message
from driftgate.flows.models.local import LocalConfig, LocalModel, open_model

for _needed in ("gguf", "xllamacpp"):
    pytest.importorskip(_needed, reason="export needs finetune/requirements.txt and the extra 'local'")


def _adapter(size: float = 0.3, rank: int = 4) -> Adapter:
    rng = np.random.default_rng(5)
    shapes = {
        "self_attn.q_proj": (HEADS * 8, WIDTH),
        "self_attn.k_proj": (KEY_HEADS * 8, WIDTH),
        "mlp.down_proj": (WIDTH, INNER),
    }
    layers = {
        f"layers.{number}.{name}": (
            (size * rng.standard_normal((rank, columns))).astype(np.float32),
            (size * rng.standard_normal((rows, rank))).astype(np.float32),
        )
        for number in range(LAYERS)
        for name, (rows, columns) in shapes.items()
    }
    return Adapter("llama", 8.0, layers, heads=HEADS, key_heads=KEY_HEADS)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a tuned model of the architecture whose rows are turned round."""
    write_tiny_gguf(tmp_path / "base.gguf", "llama")
    write_adapter(tmp_path / "adapter.gguf", _adapter())
    model = {"provider": "local", "model": "base.gguf", "adapter": "adapter.gguf", "prompt_format": "document"}
    model |= {"context": 512, "top_tokens": 300}
    (tmp_path / "driftgate.yaml").write_text(yaml.safe_dump({"version": 1, "models": {"tuned": model}}), "utf-8")
    return tmp_path


async def _first_tokens(model: LocalModel) -> dict[str, float]:
    reply = await model.complete([Message("user", "A 다음? 답:")])
    await model.aclose()
    assert reply.first_token is not None
    return {letter: reply.first_token[f" {letter}"] for letter in LETTERS}


@pytest.mark.parametrize("quantised", ["q8", "q4"])
async def test_it_answers_like_base_and_adapter(workspace: Path, quantised: str) -> None:
    with driftgate.open(workspace) as ws:
        found = ws.export_model("tuned", quantised)  # type: ignore[arg-type]
        assert ws.export_model("tuned", quantised).written.sha256 == found.written.sha256  # type: ignore[arg-type]
    assert found.name == f"tuned-{quantised}" and found.written.merged == 3 * LAYERS
    assert "adapter" not in found.config
    assert found.written.path.stat().st_mode & 0o077 == 0
    config = yaml.safe_load((workspace / "driftgate.yaml").read_text("utf-8"))["models"]["tuned"]

    def opened(model: dict[str, object]) -> LocalModel:
        made = open_model("m", LocalConfig.model_validate(model), workspace)
        assert isinstance(made, LocalModel)
        return made

    merged = await _first_tokens(opened(found.config))
    tuned = await _first_tokens(opened(config))
    bare = await _first_tokens(opened({k: v for k, v in config.items() if k != "adapter"}))
    lost = max(abs(merged[letter] - tuned[letter]) for letter in LETTERS)
    changed = max(abs(bare[letter] - tuned[letter]) for letter in LETTERS)
    # Random weights round worse than trained ones; what the adapter changed is to be far more than what rounding does.
    assert lost < changed * (0.1 if quantised == "q8" else 0.5), (lost, changed)


def test_matrices_are_base_and_update_to_within_their_rounding(workspace: Path) -> None:
    from gguf import GGUFReader
    from gguf.quants import dequantize

    from driftgate.finetune.train._export import export_gguf

    out = workspace / "out.gguf"
    found = export_gguf(workspace / "base.gguf", workspace / "adapter.gguf", out, "q8")
    read = {tensor.name: tensor for tensor in GGUFReader(out).tensors}
    base = {tensor.name: np.array(tensor.data) for tensor in GGUFReader(workspace / "base.gguf").tensors}
    lora = {t.name: np.array(t.data, dtype=np.float32) for t in GGUFReader(workspace / "adapter.gguf").tensors}
    assert set(read) == set(base) and found.types["F32"] == 2 * LAYERS + 1
    for name, tensor in read.items():
        if len(tensor.shape) == 1:
            assert tensor.tensor_type.name == "F32"
            np.testing.assert_array_equal(tensor.data, base[name])
            continue
        wanted = base[name]
        if f"{name}.lora_a" in lora:
            wanted = wanted + 8.0 / 4 * lora[f"{name}.lora_b"] @ lora[f"{name}.lora_a"]
        got = dequantize(tensor.data, tensor.tensor_type)
        assert np.abs(got - wanted).max() <= np.abs(wanted).max() / 127, name


def test_what_is_quantised_already_is_not_rounded_again(workspace: Path) -> None:
    from gguf import GGUFReader

    from driftgate.finetune.train._export import export_gguf

    once = export_gguf(workspace / "base.gguf", None, workspace / "once.gguf", "q4")
    again = export_gguf(once.path, None, workspace / "again.gguf", "q8")
    for one, other in zip(GGUFReader(once.path).tensors, GGUFReader(again.path).tensors, strict=True):
        assert one.tensor_type == other.tensor_type
        np.testing.assert_array_equal(one.data, other.data)
    assert once.bytes < (workspace / "base.gguf").stat().st_size


@pytest.mark.parametrize(("kind", "most"), [("Q8_0", 0.02), ("Q5_0", 0.2), ("Q4_K", 0.35)])
def test_rows_come_back_from_each_type(kind: str, most: float) -> None:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    from driftgate.finetune.train._export import quantise

    matrix = np.random.default_rng(1).standard_normal((6, 512)).astype(np.float32)
    packed = quantise(matrix, kind)
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    assert packed.shape == (6, 512 // block * size)
    assert np.abs(dequantize(packed, GGMLQuantizationType[kind]) - matrix).max() < most


def test_an_adapter_of_another_base_is_refused_and_nothing_is_left(workspace: Path) -> None:
    from driftgate.finetune.train._export import export_gguf

    write_tiny_gguf(workspace / "other.gguf", "gemma3")
    before = set(workspace.iterdir())
    with pytest.raises(DriftgateError, match="architecture 'llama', the base is 'gemma3'"):
        export_gguf(workspace / "other.gguf", workspace / "adapter.gguf", workspace / "out.gguf", "q8")
    (workspace / "text.gguf").write_text("no GGUF", "utf-8")
    with pytest.raises(DriftgateError, match="is no GGUF"):
        export_gguf(workspace / "text.gguf", None, workspace / "out.gguf", "q8")
    with pytest.raises(DriftgateError, match="not a LoRA adapter"):
        export_gguf(workspace / "base.gguf", workspace / "text.gguf", workspace / "out.gguf", "q8")
    assert set(workspace.iterdir()) == before | {workspace / "text.gguf"}


def test_a_model_whose_weights_are_elsewhere_is_refused(workspace: Path) -> None:
    file = workspace / "driftgate.yaml"
    text = {
        "version": 1,
        "models": {"remote": {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "m"}},
    }
    file.write_text(yaml.safe_dump(text), "utf-8")
    with driftgate.open(workspace) as ws, pytest.raises(DriftgateError, match="whose weights are not here"):
        ws.export_model("remote")
