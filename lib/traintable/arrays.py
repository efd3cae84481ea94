"""Names for the types of NumPy arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


Bools = NDArray[np.bool_]


Ints = NDArray[np.int64]


Objects = NDArray[np.object_]  # Python's whole numbers, which have no limit
