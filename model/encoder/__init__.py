"""The text encoder stage: a transformer in Keras, kept in the Hugging Face directory layout."""
