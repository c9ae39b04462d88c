"""SSM sessions."""
