"""The n-gram stages: features, networks, fits."""
