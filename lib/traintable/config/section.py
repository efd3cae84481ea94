"""Base of all sections of a configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Names = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(lambda names: _different(names))]


def _different(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.lower() for name in names}) != len(names):
        raise ValueError("names that differ by more than case")
    return names


class Section(BaseModel):
    """A part of the configuration: nothing in it changes after loading, nothing unknown is let in."""

    model_config = ConfigDict(frozen=True, extra="forbid")
