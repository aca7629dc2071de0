"""The report of a training: counts, scores and pictures, as a page, as JSON and as a model card."""
