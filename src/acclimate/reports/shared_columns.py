"""What two tables' common columns are worth on their own, told beside a method for different features."""

from __future__ import annotations

from acclimate.reports.wording import percent
from acclimate.runs.record import SHARED_COLUMNS, Run


def shared_columns_note(run: Run) -> list[str]:
    """What the source's model on the columns that both sides have by name comes to, where one was trained."""
    beside, own = run.beside(SHARED_COLUMNS), (run.summary or {}).get("scores", {})
    key = next((key for key in ("target_test_accuracy", "target_accuracy") if key in own), None)
    if beside is None or beside.summary is None or key is None:
        return []
    title, alone = run.config["method"]["title"], beside.summary["scores"][key]
    return [
        f"The columns that both sides have by name, and nothing else, give {percent(alone)} without a label of the "
        f"target; {title} gives {percent(own[key])}."
    ]
