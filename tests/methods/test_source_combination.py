"""A combination where its sources are at odds."""

from acclimate.methods.several_sources.source_combination import SourceCombination
from worlds import at_odds, quick_fit, target_accuracy


def test_solves_a_target_that_is_like_one_of_two_sources_at_odds() -> None:
    task = at_odds()
    fitted = quick_fit(SourceCombination(), task, steps=150, batch_size=32, optimizer="adam", lr=1e-2)
    assert target_accuracy(fitted, task) > 0.9
