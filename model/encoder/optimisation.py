"""Steps of AdamW with warm-up, one graph for each length. Importing this module imports TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from model.encoder.network import Tensor
from model.tensorflow import keras, tensorflow

tf = tensorflow()

WARM_UP: Final = 0.1
"""Share of the steps over which the rate grows to its full value; it then falls as a cosine does."""

_WEIGHT_DECAY = 0.01
_MAX_NORM = 1.0


class Optimisation:
    """Steps towards a smaller loss (AdamW: Loshchilov and Hutter 2019).

    Args:
        variables: What the steps change.
        loss: The mean loss of a batch, of arrays whose first dimension is the batch's rows.
        rate: The learning rate after the warm-up.
        steps: How many there will be.
    """

    def __init__(self, variables: Sequence[Any], loss: Callable[..., Tensor], *, rate: float, steps: int) -> None:
        warm = max(1, round(steps * WARM_UP))
        optimizers = keras().optimizers
        schedule = optimizers.schedules.CosineDecay(0.0, max(1, steps - warm), warmup_target=rate, warmup_steps=warm)
        self._optimizer = optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY, global_clipnorm=_MAX_NORM)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self._optimizer.build(variables)
        self._variables = list(variables)
        self._loss = loss
        self._graphs: dict[int, Callable[..., Tensor]] = {}

    def step(self, *arrays: Any) -> float:
        """Take one step, and tell the loss before it. The first array is [rows, tokens]."""
        size = arrays[0].shape[1]
        if size not in self._graphs:
            specs = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in arrays]
            self._graphs[size] = tf.function(self._step, input_signature=specs)
        return float(self._graphs[size](*arrays))

    def _step(self, *tensors: Tensor) -> Tensor:
        with tf.GradientTape() as tape:
            loss = self._loss(*tensors)
        self._optimizer.apply(tape.gradient(loss, self._variables), self._variables)
        return loss
