"""What batch, stream, splits and preparation share of texts: shingles and min-hash signatures."""

__all__ = [
    "minhash",
    "shingles",
]
