"""The road that a product takes from a caller to the topic and back as a prediction."""
