"""Things photographed for a shop, and the same things before a webcam: what forty labels say adapting was worth.

The source are 958 product photos with their classes, the target 295 pictures of a webcam. A frozen MobileNetV2 turns
each into 1,280 numbers, once; a small network learns from these. Labels of the target only score, and forty of them
play somebody who looks at forty pictures.

python photos.py                       # Office-Caltech-10, amazon → webcam; see: acclimate data info office_caltech10
python photos.py labelled/ checked/    # yours: one sub-folder for each class, on both sides
"""

import sys

import numpy as np

import acclimate as ac

if len(sys.argv) > 2:
    task = ac.Task(ac.read_images(sys.argv[1]), ac.read_images(sys.argv[2]))
else:
    task = ac.load_task("office:amazon-webcam")

plain = ac.SourceOnly(seed=0, device="cpu").fit(task.source, task.target)
model = ac.MCC(seed=0, device="cpu").fit(task.source, task.target)
answers = [fitted.predict_proba(task.target) for fitted in (plain, model)]

audit = ac.Audit.choose(*answers, items=min(40, len(task.target)))
labels = task.hidden.target[audit.rows]
print(f"Somebody labels {len(audit.rows)} of {len(task.target)} target photos.")
for name, one in (("without adaptation", 0), ("adapted by MCC", 1)):
    told, known = audit.accuracy(labels, one), np.mean(answers[one].argmax(axis=1) == task.hidden.target)
    print(f"{name}: {told.value:.1%} right, between {told.low:.1%} and {told.high:.1%} ({known:.1%} by all labels)")
print("To use:", ("without adaptation", "adapted by MCC")[audit.best(labels)])
