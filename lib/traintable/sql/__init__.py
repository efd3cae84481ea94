"""SQL expressions of a configuration: which are allowed, and what is pushed down."""
