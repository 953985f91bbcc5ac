"""What the data sets of our own making share: made on first use, and made anew when their generator changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from acclimate.data import storage
from acclimate.data.catalog import base
from acclimate.data.domain import Domain
from acclimate.data.fonts import rendering_versions
from acclimate.data.home import arrays_folder, raw_folder


# Not a data set itself: discovery goes by the plain name `Dataset` among the bases.
class Generated(base.Dataset):
    """A data set that needs no files: `parse` makes its examples.

    Another version of a drawing library, or a processor that rounds otherwise, may change a pixel by a little. So
    content hashes are not enforced: `about.json` states the versions, and `known_hashes` what one machine gave.

    Class facts, besides those of `Dataset`:

    - `generator`: names the generator and its revision, which rises with every change that moves a pixel.
    - `known_hashes`: in the form of `content_hashes`; from FreeType 2.14.3, Pillow 13.0.0, NumPy 2.4.6, SciPy 1.17.1
      and the fonts of matplotlib 3.11.2 on x86-64 with AVX-512.
    """

    generator: ClassVar[str]
    known_hashes: ClassVar[Mapping[str, str]] = {}

    def store_official(self, split: str) -> Domain:
        """Make one split and store it, in place of arrays that are stored already."""
        domain = self.parse(raw_folder(self.name), split)
        versions = ", ".join(f"{name} {version}" for name, version in rendering_versions().items())
        return storage.store(domain, arrays_folder(self.name, split), made_from=f"{self.generator}; {versions}")

    def how_to_get(self, *splits: str) -> str:
        """The command that makes them, which any use of the data set also does."""
        options = "".join(f" --split {split}" for split in splits)
        return f"Make it with: acclimate data get {self.name}{options}"

    def _is_stored(self, split: str) -> bool:
        """True if arrays of this revision of the generator are stored."""
        folder = arrays_folder(self.name, split)
        return storage.is_stored(folder) and str(storage.about(folder)["made_from"]).startswith(f"{self.generator};")
