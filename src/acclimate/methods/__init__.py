"""Adaptation methods: one paper, one file. Discovered by being here; see `base.Method` for the contract."""
