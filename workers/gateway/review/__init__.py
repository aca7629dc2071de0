"""Reviewing: who looks at what, what they say of it, and what it was before."""
