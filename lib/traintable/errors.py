"""The errors a user can meet. Each says what was expected, what was found, where, and what to do."""

from __future__ import annotations


class TraintableError(Exception):
    """A fault: something broke that neither the configuration nor the data explains (exit code 1)."""

    exit_code = 1
    status = "failed"

    def __init__(self, *, where: str, expected: str, found: str, remedy: str) -> None:
        self.where, self.expected, self.found, self.remedy = where, expected, found, remedy
        super().__init__(f"{where}: expected {expected}, found {found}. {remedy}")

    def to_dict(self) -> dict[str, str]:
        """The fields of the message, for the JSON line that ends standard output."""
        fields = {name: getattr(self, name) for name in ("where", "expected", "found", "remedy")}
        return {"type": type(self).__name__, **fields}


class ConfigError(TraintableError):
    """The configuration or the command line is wrong (exit code 2)."""

    exit_code = 2


class GateRefused(TraintableError):
    """The gate refused the rows; nothing was published (exit code 3)."""

    exit_code = 3
    status = "refused"


class InputMissing(TraintableError):
    """An input is missing, empty or unreadable (exit code 4)."""

    exit_code = 4


class AccountingError(TraintableError):
    """Rows read are not rows published + quarantined + filtered (exit code 1)."""


class LeaseLost(TraintableError):
    """Another writer has taken over the lease of the table, for this one stood still for too long (exit code 1)."""


class TableBusy(TraintableError):
    """Another writer has held the lease of the table for too long (exit code 1)."""


class VersionPinned(TraintableError):
    """A pinned version stands in the way; nothing was changed (exit code 3)."""

    exit_code = 3
    status = "refused"


class StillThere(TraintableError):
    """Data that was to be erased is still in some file (exit code 1)."""
