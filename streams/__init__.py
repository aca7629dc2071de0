"""The Faust apps: classify and archive."""
