"""How examples of each kind are looked at before any training: columns, words, pixels, or an encoder's features."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils.extmath import randomized_svd

from acclimate.data.counts import holds_counts
from acclimate.data.domain import Domain
from acclimate.data.images import resize, to_channels
from acclimate.data.ragged import to_texts
from acclimate.data.schema import Column, EncodedSchema, TableSchema
from acclimate.data.words import words
from acclimate.errors import AbsentError
from acclimate.inputs.encode import encoded_once
from acclimate.networks.photo_encoder import OWN
from acclimate.selection.columns import (
    Choices,
    ColumnShift,
    Numbers,
    compared,
    corrected,
    share_p,
)
from acclimate.selection.columns import Column as Compared
from acclimate.selection.seen import RANK, Seen

# Images with more pixels a side are photos: what they show is not told by their pixels.
SMALL = 48
_PIXELS, _THUMBNAIL = 32, 8
_WORDS, _TEXTS_WITH_IT = 20_000, 5
_NO_ENCODER = (
    "Photos were compared by thumbnails, in which colours and light show but hardly what they are of: the encoder's "
    "weights are not on this machine (docs/start.md, packs)."
)
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def seen(source: Domain, target: Domain) -> Seen:
    """Both sides as numbers, and their columns, words or measurements compared.

    Args:
        source: of one form with the target: images, as many features, or texts.
        target: likewise. Its labels are not looked at.
    """
    if source.kind == "text":
        return _of_texts(source, target)
    if source.kind == "images":
        return _of_images(source, target)
    if holds_counts(source) and holds_counts(target):
        return _of_counts(
            sparse.csr_matrix(np.concatenate([source.array, target.array])), len(source), _names(source)
        )
    return _of_columns(source, target)


def is_photo(domain: Domain) -> bool:
    """Whether its examples are pictures of more than 48 pixels a side."""
    return domain.kind == "images" and max(domain.array.shape[1:3]) > SMALL


def _of_texts(source: Domain, target: Domain) -> Seen:
    counter = CountVectorizer(analyzer=words, min_df=_TEXTS_WITH_IT, max_features=_WORDS, dtype=np.float32)
    texts = [*to_texts(source.rows), *to_texts(target.rows)]
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # no word is in five texts
        counts, names = sparse.csr_matrix((len(texts), 1), dtype=np.float32), ("(no word in five texts)",)
    else:
        names = tuple(counter.get_feature_names_out().tolist())
    lengths = np.array([len(words(text)) for text in texts], dtype=np.float32)
    length = Numbers("(words in a text)", lengths[: len(source)], lengths[len(source) :])
    return _of_counts(counts, len(source), names, length)


def _of_counts(counts: sparse.csr_matrix, n: int, names: tuple[str, ...], *others: Numbers) -> Seen:
    """Weighted counts of words in 200 dimensions, and how many examples have each.

    Source: Deerwester et al., "Indexing by Latent Semantic Analysis", JASIS 1990.
    """
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts).astype(np.float32)
    rank = min(RANK, *weighted.shape)
    left, values, _ = randomized_svd(weighted, rank, n_iter=2, random_state=0)
    features = left * values
    present = [np.asarray((side > 0).sum(axis=0)).ravel() for side in (counts[:n], counts[n:])]
    m = counts.shape[0] - n
    own, other, p = present[0] / n, present[1] / m, share_p(present[0], n, present[1], m)
    columns = [_word(name, float(own[i]), float(other[i]), float(p[i])) for i, name in enumerate(names)]
    known = tuple(corrected([*columns, *compared(others)]))
    unit = "word" if others else "count"
    what = f"{len(names):,} {unit}s, weighted (TF-IDF)"
    return Seen(what, features[:n], features[n:], known, np.full(rank, -1), unit)


def _word(name: str, source: float, target: float, p: float) -> ColumnShift:
    return ColumnShift(name, "words", abs(target - source), p, p, "share of examples with it", source, target)


def _of_images(source: Domain, target: Domain) -> Seen:
    channels = min(source.array.shape[3], target.array.shape[3])
    notes: tuple[str, ...] = ()
    if is_photo(source) or is_photo(target):
        try:
            one, two = (encoded_once(domain.unlabelled(), OWN).array for domain in (source, target))
            what = f"{one.shape[1]:,} features of {OWN}"
        except AbsentError:
            one, two = (_pixels(domain, _THUMBNAIL, channels) for domain in (source, target))
            what, notes = f"thumbnails of {_THUMBNAIL}×{_THUMBNAIL} pixels", (_NO_ENCODER,)
    else:
        size = min(_PIXELS, *(max(domain.array.shape[1:3]) for domain in (source, target)))
        one, two = (_pixels(domain, size, channels) for domain in (source, target))
        what = f"images of {size}×{size} pixels"
    measured = tuple(compared(_measurements(source, target)))
    return Seen(what, one, two, measured, np.full(one.shape[1], -1), unit="measurement", notes=notes)


def _pixels(domain: Domain, size: int, channels: int) -> np.ndarray:
    """Pixels in [0, 1], `(n, size · size · channels)`."""
    small = to_channels(resize(domain.array, size), channels)
    return np.asarray(small.reshape(len(small), -1).astype(np.float32) / 255)


def _measurements(source: Domain, target: Domain) -> list[Compared]:
    """What can be said of images without knowing what they show."""
    sides = [_measured(domain.array) for domain in (source, target)]
    return [Numbers(name, sides[0][name], sides[1][name]) for name in sides[0] if name in sides[1]]


def _measured(images: np.ndarray) -> dict[str, np.ndarray]:
    """Light, contrast, sharpness and colour of each image `(n,)`, from 0 to 1 (sharpness: relative to contrast)."""
    rows = [_of_one(image.astype(np.float32) / 255) for image in images]
    return {name: np.array([row[name] for row in rows], dtype=np.float32) for name in rows[0]}


def _of_one(image: np.ndarray) -> dict[str, float]:
    grey = image @ _GREY if image.shape[2] == 3 else image[..., 0]
    contrast = float(grey.std())
    steps = [np.abs(np.diff(grey, axis=axis)).mean() if grey.shape[axis] > 1 else 0.0 for axis in (0, 1)]
    said = {
        "brightness": float(grey.mean()),
        "contrast": contrast,
        "sharpness": float(np.mean(steps)) / max(contrast, 1e-6),
    }
    if image.shape[2] == 3:
        said["colourfulness"] = float((image.max(axis=2) - image.min(axis=2)).mean())
        said |= {name: float(image[..., i].mean()) for i, name in enumerate(("red", "green", "blue"))}
    return said


def _of_columns(source: Domain, target: Domain) -> Seen:
    columns = _columns(source, target)
    blocks = [_standard(source.array[:, part], target.array[:, part], is_choice) for _, part, is_choice in columns]
    features = np.concatenate(blocks, axis=1)
    column_of = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    pairs = [pair for pair, _, _ in columns]
    constant = [tuple(p.name for p in pairs if _constant(p, side) and not _constant(p, 1 - side)) for side in (0, 1)]
    n = len(source)
    known = tuple(compared(pairs))
    named = isinstance(source.schema, TableSchema)
    what = f"{len(pairs):,} {'column' if named else 'feature'}{'s' * (len(pairs) != 1)}"
    if isinstance(source.schema, EncodedSchema):
        what += f" of {source.schema.encoder}"
    unit = "column" if named else "feature"
    apart = {"constant_source": constant[0], "constant_target": constant[1]}
    return Seen(what, features[:n], features[n:], known, column_of, unit, **apart)


def _names(domain: Domain) -> tuple[str, ...]:
    schema, width = domain.schema, domain.array.shape[1]
    return schema.names if isinstance(schema, TableSchema) else tuple(f"feature {i}" for i in range(width))


def _columns(source: Domain, target: Domain) -> list[tuple[Compared, slice, bool]]:
    """Each column of both sides, which features it fills, and whether these are one of several values."""
    schema = source.schema
    if not isinstance(schema, TableSchema) or schema.width != source.array.shape[1]:
        names = _names(source)
        return [
            (Numbers(name, source.array[:, i], target.array[:, i]), slice(i, i + 1), False)
            for i, name in enumerate(names)
        ]
    spans = [slice(start, start + c.width) for c, start in zip(schema.columns, schema.starts, strict=True)]
    pairs = zip(schema.columns, spans, strict=True)
    return [(_column(c, source.array[:, s], target.array[:, s]), s, c.kind == "categorical") for c, s in pairs]


def _column(column: Column, source: np.ndarray, target: np.ndarray) -> Compared:
    """A date by the first of its parts."""
    if column.kind == "categorical":
        return Choices(column.name, column.categories, _chosen(source), _chosen(target))
    name = f"{column.name} ({column.parts[0]})" if column.kind == "date" else column.name
    return Numbers(name, source[:, 0], target[:, 0])


def _chosen(block: np.ndarray) -> np.ndarray:
    """Which of the values; −1 where one is missing, −2 where it is none of them."""
    known = np.nan_to_num(block)
    chosen = np.where(known.max(axis=1, initial=0) > 0, known.argmax(axis=1) if known.shape[1] else 0, -2)
    return np.where(np.isnan(block).max(axis=1, initial=False), -1, chosen)


def _standard(source: np.ndarray, target: np.ndarray, is_choice: bool) -> np.ndarray:
    """One column of both sides `(n + m, w)`: numbers standardised over both, gaps filled and marked."""
    pooled = np.concatenate([source, target]).astype(np.float64)
    gaps = np.isnan(pooled).max(axis=1, initial=False)
    if gaps.any():
        own = pooled[: len(source)][~gaps[: len(source)]]
        fill = np.median(own if len(own) else np.zeros((1, pooled.shape[1])), axis=0)
        pooled[gaps] = fill
    if not is_choice:
        spread = pooled.std(axis=0)
        pooled = (pooled - pooled.mean(axis=0)) / np.where(spread > 0, spread, 1)
    marked = [gaps[:, None]] if gaps.any() else []
    return np.concatenate([pooled, *marked], axis=1).astype(np.float32)


def _constant(column: Compared, side: int) -> bool:
    """Whether all values of a side are the same."""
    values = (column.source, column.target)[side]
    known = values[~np.isnan(values)] if isinstance(column, Numbers) else values[values != -1]
    return len(np.unique(known)) == 1
