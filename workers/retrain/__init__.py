"""Retraining: from what people say to a better model in service."""
