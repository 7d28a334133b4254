"""Model folders in the hub's format of a few thousand random weights, of every architecture that can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LETTERS = "ABCD"
_CHAT = (
    "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
_SPECIAL = ["</s>", "<|system|>", "<|user|>", "<|assistant|>"]


def write_tiny_hub(folder: Path, model_type: str, seed: int = 0, **config: Any) -> Path:
    """Write a model of ``model_type`` with two layers, and a tokenizer of bytes and a few letters."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = _tokenizer()
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 512,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
        "tie_word_embeddings": True,
    }
    if model_type == "exaone4":
        sizes |= {"sliding_window": None, "layer_types": ["full_attention", "full_attention"]}
    torch.manual_seed(seed)
    made = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes | config))
    with torch.no_grad():  # the usual first values are so small that every token is as likely as another
        for name, parameter in made.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(4.0 if "embed" not in name else 10.0)
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [f"Ġ{letter}" for letter in LETTERS]
    vocabulary = {text: number for number, text in enumerate([*_SPECIAL, *symbols, *words])}
    made = Tokenizer(models.BPE(vocabulary, [("Ġ", letter) for letter in LETTERS]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(_SPECIAL)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="</s>", pad_token="</s>", chat_template=_CHAT, bos_token=None
    )
