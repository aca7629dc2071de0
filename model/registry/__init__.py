"""The registry: what MLflow keeps of trainings and models. Nothing in service depends on it."""
