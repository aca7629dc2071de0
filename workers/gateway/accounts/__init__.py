"""Accounts: who people and their machines are, and how they prove it."""
