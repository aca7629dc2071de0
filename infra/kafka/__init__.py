"""Kafka: the batch transport for Faust, plain clients, topics."""
