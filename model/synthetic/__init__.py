"""A catalogue that nobody owns: made-up products of the 27 built-in categories, any number, from a seed."""
