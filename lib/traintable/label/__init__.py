"""Give each row its answer."""

from traintable.label.rules import by_expression

__all__ = ["by_expression"]
