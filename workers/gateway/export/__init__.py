"""Items and verdicts as files."""
