"""Processes whose clock is off."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "faults" / "clock.c"


def environment_off_by(seconds: int, folder: Path) -> dict[str, str]:
    """The environment of a process whose clock, and that of those it starts, is off by so many seconds."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("NOT TESTED: clocks that are off, for there is no C compiler (cc) to make one of")
    library = folder / "clock.so"
    if not library.exists():
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    return {**os.environ, "LD_PRELOAD": str(library), "CLOCK_OFF_SECONDS": str(seconds)}
