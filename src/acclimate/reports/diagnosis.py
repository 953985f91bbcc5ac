"""A diagnosis as one self-contained page, with the examples side by side."""

from __future__ import annotations

from pathlib import Path

from acclimate.reports.page import render
from acclimate.reports.pictures import picture_url
from acclimate.runs.files import write_text
from acclimate.selection.diagnosis import Diagnosis
from acclimate.selection.diagnosis_page import Block, evidence, meaning

_PIXEL_ART = 64


def write_diagnosis(path: Path, found: Diagnosis) -> None:
    """Write the page, atomically."""
    sections = [("What it means", meaning(found)), *evidence(found).items()]
    parts = [(name, _parts(block)) for name, block in sections if block]
    notes = [*found.notes, *found.seen.notes]
    text = render(
        "diagnosis.html.j2",
        verdict=found.verdict,
        command=found.command,
        sections=parts,
        examples=_examples(found) if found.shift else [],
        notes=notes,
    )
    write_text(path, text)


def _parts(block: Block) -> list[dict[str, object]]:
    """Sentences and tables as the template tells them apart."""
    return [
        {"text": part, "table": None} if isinstance(part, str) else {"text": None, "table": part} for part in block
    ]


def _examples(found: Diagnosis) -> list[dict[str, object]]:
    """Both sides' clearest examples: how they are called, and what there is to look at."""
    names = {"target": found.examples.source, "source": found.examples.target}
    told = []
    for other, called in names.items():
        urls = [picture_url(image) for image in found.examples.pictures.get(other, ())]
        texts = list(found.examples.texts.get(other, ()))
        blank = [None] * len(called)
        items = zip(called, urls or blank, texts or blank, strict=True)
        title = f"{'Source' if other == 'target' else 'Target'} examples least like the {other}"
        told.append({"title": title, "items": list(items), "pictures": bool(urls), "small": _small(found, other)})
    return told


def _small(found: Diagnosis, other: str) -> bool:
    """Whether the pictures have so few pixels that each should show."""
    images = found.examples.pictures.get(other)
    return images is not None and max(images.shape[1:3]) <= _PIXEL_ART
