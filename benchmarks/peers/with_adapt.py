"""Steps of adapt, which is built on TensorFlow: `adapt.feature_based.DANN` on the same layers, rebuilt in Keras.

Its MCD has another schedule (no step A, one gradient for steps B and C) and is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from adapt.feature_based import DANN
from keras import Sequential, layers, optimizers
from worker import BATCH, images

ADAM = {"learning_rate": 2e-4, "weight_decay": 5e-4}


def _conv(maps: int, padding: str, *after: layers.Layer) -> list[layers.Layer]:
    return [layers.Conv2D(maps, 5, padding=padding), *after, layers.ReLU()]


def _dense(*widths: int) -> list[layers.Layer]:
    return [layers.Dense(width, activation="relu") for width in widths]


def _networks(name: str) -> tuple[Sequential, Sequential, Sequential]:
    """Features, classifier and discriminator as in `acclimate.networks.digits`."""
    if name == "dann-mnist":
        trunk = [*_conv(32, "valid", layers.MaxPool2D()), *_conv(48, "valid", layers.MaxPool2D())]
        classifier, discriminator = _dense(100, 100), _dense(100)
    else:
        pools = [layers.MaxPool2D(3, 2, padding="same") for _ in range(2)]
        trunk = [*_conv(64, "same", pools[0]), *_conv(64, "same", pools[1]), *_conv(128, "same")]
        first, second = _dense(3072, 2048)
        classifier = [first, layers.Dropout(0.5), second, layers.Dropout(0.5)]
        discriminator = _dense(1024, 1024)
    return (
        Sequential([*trunk, layers.Flatten()]),
        Sequential([*classifier, layers.Dense(10, activation="softmax")]),
        Sequential([*discriminator, layers.Dense(1, activation="sigmoid")]),
    )


def make(method: str, name: str) -> Callable[[], object]:
    """A training step."""
    assert method == "dann"
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(0)
    x, y, t = images(name)
    x, t = (np.ascontiguousarray(a.transpose(0, 2, 3, 1)) for a in (x, t))
    labels = np.eye(10, dtype=np.float32)[y]
    encoder, task, discriminator = _networks(name)
    model = DANN(
        encoder,
        task,
        discriminator,
        Xt=t,
        lambda_=1.0,
        loss="categorical_crossentropy",
        optimizer=optimizers.Adam(**ADAM),
        optimizer_enc=optimizers.Adam(**ADAM),
        optimizer_disc=optimizers.Adam(**ADAM),
        copy=False,
        verbose=0,
    )
    model.fit(x, labels, epochs=1, batch_size=BATCH, verbose=0)  # builds and compiles
    batch = iter(tf.data.Dataset.from_tensors(((x, labels), t)).repeat())
    return lambda: model.train_function(batch)
