"""From texts to words: the tokeniser, and the key by which two texts are the same."""

from __future__ import annotations

import hashlib
import html
import unicodedata
from collections import Counter
from collections.abc import Iterable

import regex

# What a browser would not show: comments, scripts and styles with their content, then tags.
_MARKUP = regex.compile(
    r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", regex.IGNORECASE | regex.DOTALL
)
# Runs of letters (with the marks that belong to them) and apostrophes inside them, an exclamation mark, an emoji.
# Digits and all other signs go.
_LETTERS = r"\p{L}[\p{L}\p{M}]*"
_WORD = regex.compile(rf"{_LETTERS}(?:'{_LETTERS})*|!|\p{{Emoji_Presentation}}|\p{{Extended_Pictographic}}")
_SPACE = regex.compile(r"\s+")


def words(text: str) -> list[str]:
    """The words of a text, in order.

    HTML is taken out and its entities are resolved, characters are brought to Unicode's compatibility form (NFKC),
    curly apostrophes made straight and letters folded to lower case. Words are runs of letters, with apostrophes
    inside; exclamation marks and emoji count as words; digits and all other signs are dropped.

    Source: the rules of Li et al.'s preprocessing (AAAI 2018), which keeps letters and "!"; markup, apostrophes,
    emoji and other scripts are this library's addition. Scripts without spaces give one word between two signs.
    """
    if "<" in text:
        text = _MARKUP.sub(" ", text)
    return list(_WORD.findall(folded(html.unescape(text))))


def folded(text: str) -> str:
    """Characters in Unicode's compatibility form (NFKC), letters in lower case, apostrophes straight."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def text_key(text: str) -> str:
    """What two copies of one text have in common: letters folded to lower case, white space collapsed."""
    return str(_SPACE.sub(" ", text.casefold())).strip()


def vocabulary(documents: Iterable[list[str]], *, least: int, most: int) -> tuple[str, ...]:
    """The most frequent words, the most frequent first; equal counts in alphabetical order.

    Args:
        documents: words of each document.
        least: occurrences, over all documents, that a word must have.
        most: words at most.
    """
    counts = Counter(word for document in documents for word in document)
    kept = [(word, n) for word, n in counts.items() if n >= least]
    return tuple(word for word, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:most])


def text_digest(text: str) -> bytes:
    """16 bytes that two copies of one text share; see `text_key`."""
    return hashlib.blake2b(text_key(text).encode("utf-8", "replace"), digest_size=16).digest()
