"""Pure objectives: tensors in, scalar out, beside their equation and its source."""
