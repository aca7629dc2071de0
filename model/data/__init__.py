"""Data sets: reading, columns, cleaning, categories, splits."""
