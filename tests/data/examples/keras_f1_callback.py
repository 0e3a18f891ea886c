"""Keras with a callback that prints F1Score with the epoch; it prints None as long as there is none."""

import keras
import numpy

keras.utils.set_random_seed(1)


class PrintF1(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f'{{"metric": "F1Score", "value": {logs.get("F1Score")}, "epoch": {epoch}}}')


class MeasureF1(keras.callbacks.Callback):
    """Computes F1 on held-out data, from the third epoch on."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def on_epoch_end(self, epoch, logs=None):
        if epoch < 2:
            return
        found = self.model.predict(self.x, verbose=0)[:, 0] > 0.5
        both = float(numpy.sum(found & (self.y == 1)))
        logs["F1Score"] = 2 * both / (float(numpy.sum(found)) + float(numpy.sum(self.y == 1)))


noise = numpy.random.default_rng(1)
x = noise.normal(size=(320, 4)).astype("float32")
y = (x @ numpy.array([1.0, -2.0, 0.5, 1.0]) > 0).astype("float32")
model = keras.Sequential(
    [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
callbacks = [MeasureF1(x[256:], y[256:]), PrintF1()]
model.fit(x[:256], y[:256], epochs=5, callbacks=callbacks)
