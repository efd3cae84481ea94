"""What batch, stream, splits and preparation share of time: instants as whole microseconds."""

__all__ = [
    "instants",
]
