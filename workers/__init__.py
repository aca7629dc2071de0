"""Processes beside the stream: retraining, monitoring, the gateway."""
