"""The kinds of hostile requests, by what they try."""
