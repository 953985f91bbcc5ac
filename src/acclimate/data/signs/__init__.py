"""German traffic signs, drawn from rules: a canvas, pictograms, and the faces of 43 signs."""
