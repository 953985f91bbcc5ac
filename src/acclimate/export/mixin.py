"""What an estimator says when it is asked to leave; nothing is imported for that before it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acclimate.data.domain import Domain
    from acclimate.data.pairs import Data
    from acclimate.types import Side


class Exports:
    """The part of an estimator that writes it down."""

    _fitted: Any
    _fields: Any
    _bins: Any

    def export(self, folder: Path | str, data: Data, form: str = "onnx") -> None:
        """Write the fitted model as a folder that answers without acclimate, as `acclimate export` does.

        Args:
            folder: a new or empty one.
            data: target examples that the exported model is held against this one on; as for `predict`.
            form: `"onnx"`, `"pt2"`, or `"arrays"` for a closed form.

        Raises:
            RequestError: if the folder is in use, or the model cannot have that form.
            WorkError: if it answers otherwise than this one; nothing is written then.
        """
        self._export(folder, form, {"target": self._inputs(data, "target")})  # type: ignore[attr-defined]

    def save_pretrained(self, folder: Path | str) -> None:
        """Write `model.safetensors`, `config.json` and a model card, which `from_pretrained` reads.

        Raises:
            RequestError: if the folder is in use, or the network is a module of your own.
        """
        self._export(folder, "safetensors", {})

    def _export(self, folder: Path | str, form: str, sides: dict[Side, Domain]) -> None:
        from sklearn.utils.validation import check_is_fitted

        from acclimate.export.python import export_fitted

        check_is_fitted(self)
        schemas: dict[Side, Any] = {side: fields.schema for side, fields in self._fields.items()}
        verdict: str = self.verdict_  # type: ignore[attr-defined]
        export_fitted(self._fitted, folder, form, sides, schemas, self._bins, verdict, self.__dict__.get("run_"))
