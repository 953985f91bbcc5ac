"""Numbers as people write them."""

from __future__ import annotations


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """A fraction as a percentage with one decimal."""
    return f"{100 * share:.1f}\u00a0%"


def number(value: float) -> str:
    """A number of any size with four digits that count, or with all before the point."""
    written = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return written.replace("-", "−")


def interval(ends: tuple[float, float]) -> str:
    """A 95 % interval of a fraction, in percent."""
    return f"95\u00a0% interval {100 * ends[0]:.1f} to {percent(ends[1])}"


def points(difference: float) -> str:
    """A difference of two percentages, with its sign."""
    value = round(100 * difference, 1)
    return f"{value:+.1f}".replace("-", "−") if value else "±0.0"


def counted(n: int, noun: str, nouns: str = "") -> str:
    """A number of things; many of them are called `nouns`, or by a plain s."""
    return f"{n:,} {noun if n == 1 else nouns or noun + 's'}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
