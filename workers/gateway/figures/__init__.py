"""The figures of the dashboard: each with bounded work, and made once for all who look."""
