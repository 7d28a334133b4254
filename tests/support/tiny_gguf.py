"""GGUF models of a few thousand random weights, which transformers and llama.cpp both load in no time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WIDTH, LAYERS, HEADS, KEY_HEADS, INNER = 32, 2, 4, 2, 48
LETTERS = "ABCD"


def write_tiny_gguf(path: Path, architecture: str = "gemma3", seed: int = 0) -> Path:
    """Write a model of ``architecture`` (``gemma3`` or ``llama``) with a vocabulary of bytes and a few letters."""
    import gguf

    rng = np.random.default_rng(seed)
    gemma = architecture == "gemma3"
    head = 256 if gemma else 8  # transformers takes Gemma's attention scale for a head of 256 whatever the file says
    tokens, scores, kinds = _vocabulary()
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    if gemma:
        writer.add_sliding_window(512)
    else:  # a Gemma's file does not say how large its vocabulary is
        writer.add_vocab_size(len(tokens))
        writer.add_rope_dimension_count(head)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(not gemma)

    def add(name: str, *shape: int, around: float = 0.0, size: float = 0.3) -> None:
        writer.add_tensor(name, (around + size * rng.standard_normal(shape)).astype(np.float32))

    # The output head is the same matrix: letters stand out, so that no reply is half a character of raw bytes.
    embedding = rng.standard_normal((len(tokens), WIDTH)) * np.where(np.array(kinds) == 1, 0.5, 0.1)[:, None]
    writer.add_tensor("token_embd.weight", embedding.astype(np.float32))
    add("output_norm.weight", WIDTH, around=1.0, size=0.1)
    for block in range(LAYERS):
        add(f"blk.{block}.attn_norm.weight", WIDTH, around=1.0, size=0.1)
        add(f"blk.{block}.ffn_norm.weight", WIDTH, around=1.0, size=0.1)
        if gemma:
            for norm, width in (
                ("attn_q_norm", head),
                ("attn_k_norm", head),
                ("post_attention_norm", WIDTH),
                ("post_ffw_norm", WIDTH),
            ):
                add(f"blk.{block}.{norm}.weight", width, around=1.0, size=0.1)
        add(f"blk.{block}.attn_q.weight", HEADS * head, WIDTH)
        add(f"blk.{block}.attn_k.weight", KEY_HEADS * head, WIDTH)
        add(f"blk.{block}.attn_v.weight", KEY_HEADS * head, WIDTH)
        add(f"blk.{block}.attn_output.weight", WIDTH, HEADS * head)
        add(f"blk.{block}.ffn_gate.weight", INNER, WIDTH)
        add(f"blk.{block}.ffn_up.weight", INNER, WIDTH)
        add(f"blk.{block}.ffn_down.weight", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary() -> tuple[list[bytes], list[float], list[int]]:
    control, unknown, normal, byte = 3, 2, 1, 6
    entries = [("<unk>", 0.0, unknown), ("<s>", 0.0, control), ("</s>", 0.0, control)]
    entries += [(f"<0x{value:02X}>", 0.0, byte) for value in range(256)]
    plain = ["▁", *LETTERS, *(f"▁{letter}" for letter in LETTERS)]
    entries += [(piece, -float(rank), normal) for rank, piece in enumerate(reversed(plain), start=1)]
    return [e[0].encode() for e in entries], [e[1] for e in entries], [e[2] for e in entries]
