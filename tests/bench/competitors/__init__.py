"""The programs that are measured, each a process of its own: ``python -m tests.bench.competitors.<name>``."""
