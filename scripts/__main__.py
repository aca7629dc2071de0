"""``python -m scripts``: the ``aisle`` command as its own supervisor starts it."""

from infra.lifeline import watch_lifeline
from scripts.cli import main

if __name__ == "__main__":
    watch_lifeline()
    main()
