"""Text files as records, and records as values."""
