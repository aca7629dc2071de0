"""The archive's items as people see them."""
