"""The classifier: data sets, networks, training, calibration, evaluation, bundles."""
