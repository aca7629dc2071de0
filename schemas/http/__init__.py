"""What travels over HTTP, a file a resource."""
