"""TensorFlow 1 style training with a session hook that prints averages as metric lines."""

import json

import numpy
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
tf.set_random_seed(1)

EVERY = 20


class PrintAverages(tf.train.SessionRunHook):
    """Prints the mean of loss and accuracy over the last `EVERY` steps."""

    def __init__(self, tensors, step):
        self.tensors, self.step = tensors, step

    def begin(self):
        self.seen = {name: [] for name in self.tensors}

    def before_run(self, run_context):
        return tf.train.SessionRunArgs({"step": self.step, **self.tensors})

    def after_run(self, run_context, run_values):
        for name, values in self.seen.items():
            values.append(run_values.results[name])
        if len(self.seen["loss"]) == EVERY:
            for name, values in self.seen.items():
                line = {
                    "metric": name,
                    "value": float(numpy.mean(values)),
                    "step": int(run_values.results["step"]),
                }
                print(json.dumps(line), flush=True)
                values.clear()


noise = numpy.random.default_rng(1)
inputs = noise.normal(size=(256, 4)).astype("float32")
labels = (inputs @ numpy.array([1.0, -2.0, 0.5, 1.0]) > 0).astype("float32")
x, y = tf.constant(inputs), tf.constant(labels)
logits = tf.squeeze(tf.matmul(x, tf.get_variable("weights", (4, 1))), 1)
loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.cast(logits > 0, tf.float32), y), tf.float32))
step = tf.train.get_or_create_global_step()
train = tf.train.GradientDescentOptimizer(0.5).minimize(loss, global_step=step)

hooks = [tf.train.StopAtStepHook(last_step=100), PrintAverages({"loss": loss, "accuracy": accuracy}, step)]
with tf.train.MonitoredTrainingSession(hooks=hooks) as session:
    while not session.should_stop():
        session.run(train)
