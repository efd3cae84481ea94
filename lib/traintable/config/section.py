"""Base of all sections of a configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Names = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(lambda names: _different(names))]


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.lower() for name in names}) != len(names):
        raise ValueError("names that differ by more than case")
    return names


class Mismatch(ValueError):
    """What a validator of a section expected, and what it found, for the error that a user reads."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found = expected, found


class Section(BaseModel):
    """A part of the configuration: immutable once loaded, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
