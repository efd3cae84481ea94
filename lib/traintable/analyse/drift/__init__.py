"""Two tables, or two versions of one, compared."""
