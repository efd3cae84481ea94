"""Remove somebody's rows from all versions of a training table, and show that they are gone."""

from traintable.publish.erasure.forget import forget

__all__ = ["forget"]
