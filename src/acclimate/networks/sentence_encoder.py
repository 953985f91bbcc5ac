"""Pretrained encoders of sentences, from a folder or the Hugging Face Hub's cache: frozen, for features of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from acclimate.errors import MissingExtraError, RequestError

# What most encoders were trained on; attention to more takes the square of the time.
_TOKENS = 512


@dataclass(frozen=True, eq=False)
class SentenceEncoder:
    """A tokeniser and a transformer, in eval mode and float32.

    Attributes:
        name: folder or name on the Hub.
        tokenizer: of the transformers library.
        network: likewise.
        limit: tokens of a text that are read.
    """

    name: str
    tokenizer: Any
    network: nn.Module
    limit: int

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of tokens of each text, special ones included."""
        numbers: list[list[int]] = self.tokenizer(list(texts), truncation=True, max_length=self.limit)["input_ids"]
        return numbers

    def encode(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        """Vectors `(b, d)`: the mean of the last layer over each text's tokens; zeros for a text that has none."""
        longest = max(1, *map(len, tokens))
        numbers = torch.full((len(tokens), longest), int(self.tokenizer.pad_token_id))
        mask = torch.zeros(len(tokens), longest, dtype=torch.int64)
        for row, own in enumerate(tokens):
            numbers[row, : len(own)] = torch.tensor(own, dtype=torch.int64)
            mask[row, : len(own)] = 1
        with torch.inference_mode():
            hidden = self.network(input_ids=numbers, attention_mask=mask).last_hidden_state
        return mean_over(hidden, mask)


def mean_over(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean `(b, d)` of vectors `(b, t, d)` over the places where the mask `(b, t)` is 1; zeros where it nowhere is.

    Source: Reimers & Gurevych, "Sentence-BERT", EMNLP 2019, section 3, the pooling MEAN.
    """
    weights = mask[..., None].to(hidden.dtype)
    # A place that attends to nothing may be no number.
    return hidden.where(weights > 0, 0).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def load_sentence_encoder(name: str) -> SentenceEncoder:
    """Read an encoder with its tokeniser, from a folder or from the Hub's cache on this machine; nothing is fetched.

    Weights are read as safetensors only, and code that comes with a model is never run.

    Raises:
        MissingExtraError: if transformers is not installed.
        RequestError: if there is no such encoder, or it is one of another kind.
    """
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise MissingExtraError("transformers", "hub") from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=True, trust_remote_code=False)
        network = AutoModel.from_pretrained(
            name, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # it fails in more ways than are documented
        raise RequestError(
            "encoder",
            "must be a folder, or be in the Hub's cache on this machine, with a tokeniser and safetensors weights",
            f"{name!r} ({type(error).__name__}: {_first_line(error)})",
            f"Fetch it where there is a connection (hf download {name}), or give the folder that holds config.json.",
        ) from None
    if network.config.is_encoder_decoder or tokenizer.pad_token_id is None:
        raise RequestError(
            "encoder",
            "must encode only, and have a padding token",
            f"{name!r}, a {type(network).__name__}",
            "Choose one made for sentences, such as sentence-transformers/all-MiniLM-L6-v2.",
        )
    places = getattr(network.config, "max_position_embeddings", None) or _TOKENS
    limit = min(_TOKENS, tokenizer.model_max_length, places)
    return SentenceEncoder(name, tokenizer, network.float().eval(), limit)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
