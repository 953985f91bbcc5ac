"""Networks only: modules and the architectures that put them together. No losses, no training."""
