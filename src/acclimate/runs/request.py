"""`Request`: what a user asked for, before anything is looked up or resolved. Stored in every `config.json`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """One adaptation, in the user's words.

    Attributes:
        task: name of a public task, or None if `source` and `target` are the user's own.
        source: path of the labelled source.
        target: path of the target.
        target_test: path of further target examples, only ever scored.
        text_column: name of the column of texts, for tables and JSON lines.
        label_column: name of the label column, for these.
        bins: predict so many ranges of the label, which is then a number, or None.
        label_budget: how many target labels training may use; see `LabelBudget`.
        method: name of the method.
        method_options: its hyper-parameters that differ from the defaults.
        network: name of the architecture, or None for the default.
        training: training options that differ from the method's recipe.
        baseline: whether to train what does not adapt beside it, for comparison.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str | None = None
    source: str | None = None
    target: str | None = None
    target_test: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    bins: int | None = None
    label_budget: str = "0"
    method: str = "mcd"
    method_options: dict[str, Any] = Field(default_factory=dict)
    network: str | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    baseline: bool = True

    @property
    def title(self) -> str:
        """The task's name, or the names of both sides."""
        return self.task or f"{self.source} → {self.target}"
