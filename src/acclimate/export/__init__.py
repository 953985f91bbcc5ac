"""The way out: a run's model as files that do without acclimate, or without its run folder."""
