"""Requests that mean harm, against a running gateway, and what becomes of them."""
