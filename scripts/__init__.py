"""The ``aisle`` command line, one file a command."""
