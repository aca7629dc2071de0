"""Weights that a fit begins with: those of a text stage that knows some of the classes.

The problem is convex, so where one begins decides how long it takes, and not where it ends.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from model.stages import Former
from model.tensorflow import tensorflow
from model.text import ngrams
from model.text.features import Floats, Idf
from model.text.views import View

_VARIABLE = re.compile(r"variables/(\d+)/")


def weights_of(former: Former, views: Sequence[View], idfs: Sequence[Idf]) -> tuple[list[Floats], Floats] | None:
    """Coefficients [live buckets, classes] of each view, and biases [classes]; 0 for what the stage does not know.

    Args:
        former: The stage, and which of its classes are which.
        views: Those of the fit.
        idfs: The buckets that it has, of each view.

    Returns:
        None where the stage has other views, or is none that can be read: then the fit begins with nothing.
    """
    arrays = _arrays(former.path)
    tables = [(rows, table) for rows, table in pairwise(arrays) if rows.shape == (ngrams.BUCKETS,)]
    order = [view for fields in dict.fromkeys(view.fields for view in views) for view in views if view.fields == fields]
    if len(tables) != len(views):
        return None
    known = dict(zip(order, tables, strict=True))
    chosen, bias = np.array(former.columns), arrays[0]
    found = [_coefficients(*known[view], view, idf, chosen) for view, idf in zip(views, idfs, strict=True)]
    return found, np.where(chosen >= 0, bias[chosen], 0).astype(np.float32)


def _coefficients(rows: Any, table: Any, view: View, idf: Idf, chosen: Any) -> Floats:
    """What a feature adds to each class is the same as before, by weights of its own that may be others now."""
    own = table[rows[idf.live]]  # row 0, all zeros, for a bucket that it never saw
    found: Floats = np.where(chosen >= 0, own[:, chosen] / (np.sqrt(view.weight) * idf.weights[:, None]), 0)
    return found.astype(np.float32)


def _arrays(stage: Path) -> list[Any]:
    """The network's variables in the order in which it made them: bias, known words, each view's rows and table."""
    reader = tensorflow().train.load_checkpoint(str(stage / "variables" / "variables"))
    names = {int(found[1]): name for name in reader.get_variable_to_shape_map() if (found := _VARIABLE.match(name))}
    return [reader.get_tensor(names[number]) for number in sorted(names)]
