"""What an operator sees and does: models, runs, dead letters, drift, figures, the live feed."""
