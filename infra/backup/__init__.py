"""Backups: the store, the registry, the photos, the training sets and the positions of topics in one folder."""
