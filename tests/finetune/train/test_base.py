"""A GGUF is unpacked for training as transformers reads it whole, and one that cannot be read is said to be so."""

from __future__ import annotations

import pytest
from tiny_gguf import write_tiny_gguf

from driftgate.flows.errors import DriftgateError

pytestmark = pytest.mark.train
for _needed in ("torch", "gguf"):
    pytest.importorskip(_needed, reason="training needs finetune/requirements.txt")


@pytest.mark.parametrize("architecture", ["gemma2", "gemma3", "llama", "qwen2"])
def test_weights_and_shape_are_those_of_the_whole_file(tmp_path, monkeypatch, architecture) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from driftgate.finetune.train._base import load_base

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_tiny_gguf(tmp_path / "tiny.gguf", architecture)
    whole = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="tiny.gguf", dtype=torch.bfloat16)
    ours, _ = load_base(tmp_path / "tiny.gguf")
    expected, found = whole.state_dict(), ours.state_dict()
    assert set(expected) == set(found)
    assert all(torch.equal(expected[name].to(found[name].dtype), found[name]) for name in expected)
    assert ours.config.vocab_size == whole.config.vocab_size
    assert [file.name for file in tmp_path.rglob("weights.gguf")] == []


@pytest.mark.parametrize("keep", [0, 3, 30, 400, -10])
def test_a_file_that_is_none_or_is_cut_is_said_to_be_unreadable(tmp_path, monkeypatch, keep) -> None:
    from driftgate.finetune.train._base import load_base

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_tiny_gguf(tmp_path / "tiny.gguf")
    content = (tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "tiny.gguf").write_bytes(content[:keep])
    with pytest.raises(DriftgateError, match=r"cannot read tiny\.gguf"):
        load_base(tmp_path / "tiny.gguf")
    assert [file.name for file in (tmp_path / "cache").rglob("*") if file.is_file()] == []
