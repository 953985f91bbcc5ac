"""What a network sees of an example: encoders, networks that fit, vectors of words."""
