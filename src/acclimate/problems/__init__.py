"""What is given and what is asked: one file for each problem; `base` tells what a problem decides."""
