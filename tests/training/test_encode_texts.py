"""Sentence encoders of transformers: a tiny BERT with random weights, made here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from acclimate.data.domain import Domain
from acclimate.data.readers import read
from acclimate.errors import DataError, MissingExtraError, RequestError
from acclimate.inputs.encode import encode_texts
from acclimate.networks.sentence_encoder import load_sentence_encoder, mean_over

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "book", "knife", "##s"]
TEXTS = ["good books", "", "bad knife bad knife bad", "unheard", "good " * 500, "books"]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers", reason="needs the extra hub")
    folder = tmp_path_factory.mktemp("bert")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)})
    tokenizer.save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    assert (folder / "model.safetensors").is_file()
    return folder


def reviews() -> Domain:
    labels = np.array([1, -1, 0, 0, 1, 1])
    return Domain(TEXTS, labels, ("bad", "good"), "reviews", tuple("abcdef"), ("A note.",))


def test_features_are_the_mean_over_each_texts_own_tokens(tiny_bert: Path) -> None:
    """One text at a time, without padding or masks, as the second source."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    model = transformers.AutoModel.from_pretrained(tiny_bert).eval()
    seen: list[int] = []
    features = encode_texts(reviews(), load_sentence_encoder(str(tiny_bert)), seen.append)
    assert features.array.shape == (6, 16)
    assert features.array.dtype == np.float32
    for text, row in zip(TEXTS, features.array, strict=True):
        tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=24)
        with torch.no_grad():
            hidden = model(**tokens).last_hidden_state[0].numpy()
        np.testing.assert_allclose(row, hidden.mean(axis=0), atol=1e-5)
    assert seen == [6]


def test_labels_ids_and_notes_go_with_the_features(tiny_bert: Path) -> None:
    features = encode_texts(reviews(), load_sentence_encoder(str(tiny_bert)))
    assert features.kind == "features"
    assert features.labels.tolist() == [1, -1, 0, 0, 1, 1]
    assert features.classes == ("bad", "good")
    assert features.ids == tuple("abcdef")
    assert features.notes == ("A note.",)


def test_how_texts_are_batched_changes_nothing(tiny_bert: Path) -> None:
    encoder = load_sentence_encoder(str(tiny_bert))
    many = Domain(TEXTS * 20)
    features = encode_texts(many, encoder).array
    np.testing.assert_allclose(features, np.tile(features[:6], (20, 1)), atol=1e-5)


def test_the_encoder_stays_as_it_is_and_reads_no_more_than_it_has_places_for(tiny_bert: Path) -> None:
    encoder = load_sentence_encoder(str(tiny_bert))
    assert encoder.limit == 24
    assert len(encoder.tokens([TEXTS[4]])[0]) == 24
    assert not encoder.network.training
    before = [p.clone() for p in encoder.network.parameters()]
    encode_texts(reviews(), encoder)
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.network.parameters(), strict=True))


def test_a_mean_over_nothing_is_zero() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 6.0]], [[torch.nan, 1.0], [1.0, 1.0]]])
    mask = torch.tensor([[1, 1], [0, 0]])
    assert mean_over(hidden, mask).tolist() == [[2, 4], [0, 0]]


@pytest.mark.parametrize("domain", [Domain(np.zeros((2, 3), np.float32)), Domain([])])
def test_what_is_no_text_is_refused(tiny_bert: Path, domain: Domain) -> None:
    with pytest.raises(DataError, match="must hold texts"):
        encode_texts(domain, load_sentence_encoder(str(tiny_bert)))


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'acclimate\[hub\]'"):
        load_sentence_encoder("anything")


def test_a_model_that_is_not_there_or_damaged_is_told_in_a_sentence(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="encoder must be a folder, or be in the Hub's cache on this machine"):
        load_sentence_encoder(str(tmp_path))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(RequestError, match="safetensors weights; got"):
        load_sentence_encoder(str(tmp_path))


def test_pickled_weights_are_never_opened(tiny_bert: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(RequestError, match="safetensors weights"):
        load_sentence_encoder(str(tmp_path))


def test_the_models_own_code_is_never_run(tiny_bert: Path, tmp_path: Path) -> None:
    config = json.loads((tiny_bert / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('own code ran')")
    with pytest.raises(RequestError):
        load_sentence_encoder(str(tmp_path))


@pytest.mark.parametrize("named", [False, True])
def test_the_command_writes_what_adapt_reads(tiny_bert: Path, tmp_path: Path, named: bool) -> None:
    from typer.testing import CliRunner

    from acclimate.cli.main import app

    column = "review" if named else "text"
    given = [{column: text, "label": label} for text, label in zip(TEXTS, ("good", "", "bad"), strict=False)]
    (tmp_path / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    source, written = str(tmp_path / "reviews.jsonl"), tmp_path / "features.npz"
    words = ["data", "encode-texts", source, "--encoder", str(tiny_bert), "--out", str(written)]
    words += ["--text-column", column, "--label-column", "label"] if named else []
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "Wrote 3 vectors of 16 features, 2 labelled" in done.output
    domain, texts = read(written), read(source, text_column=column, label_column="label")
    np.testing.assert_array_equal(domain.labels, texts.labels)
    assert (domain.classes, domain.ids) == (texts.classes, texts.ids)
    expected = encode_texts(texts, load_sentence_encoder(str(tiny_bert)))
    np.testing.assert_allclose(domain.inputs, expected.array, atol=1e-6)


def test_the_command_refuses_a_file_that_exists_or_ends_otherwise(tmp_path: Path) -> None:
    from acclimate.cli.data import encode_texts as command

    for name in ("features.csv", "there.npz"):
        (tmp_path / name).touch()
        with pytest.raises(RequestError, match="out must"):
            command("reviews.jsonl", "encoder", tmp_path / name)
