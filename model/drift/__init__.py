"""Whether products or answers are other than they were."""
