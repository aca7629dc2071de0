"""Watches what comes in, what is answered and what people say of it, beside the road of a prediction."""
