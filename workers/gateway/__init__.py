"""The gateway: aisle over HTTP, for machines and for people."""
