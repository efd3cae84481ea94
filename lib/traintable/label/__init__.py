"""Label each row with the answer that is to be learned."""

from traintable.label.rules import by_expression

__all__ = ["by_expression"]
