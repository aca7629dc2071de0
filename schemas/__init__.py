"""What travels on topics and over HTTP, and the taxonomy."""
