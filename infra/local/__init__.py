"""Kafka and a document store on this machine, from PyPI and Maven packages alone."""
