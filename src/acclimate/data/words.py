"""From texts to words: the tokeniser, and the key by which two texts are the same."""

from __future__ import annotations

import hashlib
import html
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

import regex

# What a browser would not show: comments, scripts and styles with their content, and tags.
_HIDDEN = regex.compile(r"<(?:(?P<comment>!--)|(?P<script>script)\b|(?P<style>style)\b)", regex.IGNORECASE)
_ENDS = {
    "comment": regex.compile("-->"),
    "script": regex.compile(r"</script\s*>", regex.IGNORECASE),
    "style": regex.compile(r"</style\s*>", regex.IGNORECASE),
}
_TAG = regex.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", regex.IGNORECASE)
# Runs of letters (with the marks that belong to them) and apostrophes inside them, or an emoji. Digits and all signs
# that are not asked for go.
_LETTERS = r"\p{L}[\p{L}\p{M}]*"
_WORD = rf"{_LETTERS}(?:'{_LETTERS})*|\p{{Emoji_Presentation}}|\p{{Extended_Pictographic}}"
_SPACE = regex.compile(r"\s+")
# Unicode's stream-safe form allows 30 marks on one letter. Putting them in order takes the square of their number.
_PILED_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")


@cache
def _pattern(signs: str) -> regex.Pattern[str]:
    """Words and those signs; a full stop only where a blank or nothing follows."""
    asked = [r"\.(?=\s|$)" if sign == "." else regex.escape(sign) for sign in signs]
    return regex.compile("|".join([_WORD, *asked]))


def words(text: str, signs: str = "!") -> list[str]:
    """The words of a text, in order.

    HTML is taken out and its entities are resolved, characters are brought to Unicode's compatibility form (NFKC),
    curly apostrophes made straight and letters folded to lower case. Words are runs of letters, with apostrophes
    inside; emoji and the `signs` count as words; digits and all other signs are dropped.

    Source: the rules of Li et al.'s preprocessing (AAAI 2018), which keeps letters and "!"; markup, apostrophes,
    emoji and other scripts are this library's addition. Scripts without spaces give one word between two signs.

    Args:
        text: any.
        signs: those that count as words; a full stop does at the end of a sentence only.
    """
    if "<" in text:
        text = _TAG.sub(" ", _without_hidden(text))
    return list(_pattern(signs).findall(folded(html.unescape(text))))


def folded(text: str) -> str:
    """Characters in Unicode's compatibility form (NFKC), letters in lower case, apostrophes straight."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _PILED_MARKS.sub(r"\1", text))
    return text.casefold().replace("’", "'")


def _without_hidden(text: str) -> str:
    """The text without comments, scripts and styles; what is opened and not closed stays.

    Each kind's end is sought in vain once at most, so that the time does not grow with the square of the length.
    """
    kept, at, unclosed = [], 0, set()
    for opening in _HIDDEN.finditer(text):
        kind = opening.lastgroup
        if opening.start() < at or kind in unclosed:
            continue
        end = _ENDS[kind].search(text, opening.end())
        if end is None:
            unclosed.add(kind)
            continue
        kept.append(text[at : opening.start()])
        at = end.end()
    return " ".join([*kept, text[at:]])


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
