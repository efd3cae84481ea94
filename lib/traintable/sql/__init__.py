"""SQL expressions of a configuration: which are allowed, and what is pushed down."""

__all__ = [
    "expressions",
    "push_down",
]
