"""A new proposal and a plan that a person has edited since the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

PlanSections = Mapping[str, object]  # a plan as its file has it; what a person has written is checked by `Plan`
FOR_THE_READER = ("because", "alternatives")
PER_COLUMN = ("features", "drop")


class ChangeRecord(TypedDict):
    """A change as the JSON line of `traintable analyse` has it."""

    where: str
    kept: bool
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """What analysing again says of one entry that is not what it was.

    `kept` is whether the entry was edited and so stays; `before` and `after` are the last proposal and this one.
    """

    where: str
    kept: bool
    before: str
    after: str

    def __str__(self) -> str:
        outcome = "your edit stays" if self.kept else "taken over"
        return f"{self.where}: {self.before} -> {self.after} ({outcome})"

    def to_dict(self) -> ChangeRecord:
        """The change as plain values."""
        return {"where": self.where, "kept": self.kept, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Entry:
    """What a plan says of one column: the section it stands in, and the settings there."""

    section: str
    settings: Mapping[str, object]

    @property
    def steps(self) -> tuple[str, Mapping[str, object]]:
        """The decision without what is said of it for the reader."""
        return self.section, {key: value for key, value in self.settings.items() if key not in FOR_THE_READER}

    def __str__(self) -> str:
        steps = ", ".join(f"{key}: {_as_text(value)}" for key, value in self.steps[1].items())
        because = self.settings.get("because")
        outcome = "left out" if self.section == "drop" else steps or "as it is"
        return f"{outcome} because {because}" if because else outcome


def merge(edited: PlanSections, last: PlanSections | None, new: PlanSections) -> tuple[PlanSections, list[Change]]:
    """The plan after analysing again, and what changed.

    An entry (a column's decision, or a whole other section) that still is what was proposed last time becomes what is
    proposed now; one that a person has changed, added or removed stays as it is, with the new evidence as its
    `because`. Without the last proposal everything in `edited` counts as a person's. `because` and `alternatives`
    decide nothing, so they don't count as edits.
    """
    entries, changes = _merge_entries(edited, last, new)
    plan: dict[str, object] = {}
    for section in dict.fromkeys([*edited, *new]):
        if section in PER_COLUMN:
            own = {name: entry.settings for name, entry in entries.items() if entry.section == section}
            if own:
                plan[section] = own
            continue
        value, change = _merge_section(section, edited, last, new)
        if value is not None:
            plan[section] = value
        changes += [] if change is None else [change]
    return plan, changes


def _merge_entries(
    edited: PlanSections, last: PlanSections | None, new: PlanSections
) -> tuple[dict[str, Entry], list[Change]]:
    earlier, mine, proposed = _entries(last or {}), _entries(edited), _entries(new)
    merged: dict[str, Entry] = {}
    changes: list[Change] = []
    for name in dict.fromkeys([*proposed, *mine]):
        entry, change = _merge_entry(
            name, mine.get(name), earlier.get(name), proposed.get(name), has_last=last is not None
        )
        merged |= {} if entry is None else {name: entry}
        changes += [] if change is None else [change]
    return merged, changes


def _entries(plan: PlanSections) -> dict[str, Entry]:
    """Column -> its entry."""
    entries: dict[str, Entry] = {}
    for section in PER_COLUMN:
        columns = plan.get(section)
        for name, settings in columns.items() if isinstance(columns, Mapping) else ():
            entries[name] = Entry(section, settings if isinstance(settings, Mapping) else {})
    return entries


def _merge_entry(
    name: str, mine: Entry | None, last: Entry | None, new: Entry | None, *, has_last: bool
) -> tuple[Entry | None, Change | None]:
    """The entry of a column and what changed of it."""
    is_edited = _steps(mine) != _steps(last) if has_last else mine is not None
    differs = _evidence(last) != _evidence(new) if has_last else _steps(mine) != _steps(new)
    reference = last if has_last else mine
    change = Change(name, is_edited, _describe(reference), _describe(new)) if differs else None
    if not is_edited:
        return new, change
    if mine is None:
        return None, change
    if new is not None and mine.steps == new.steps:
        return new, None
    if new is not None and new.settings.get("because"):
        return Entry(mine.section, {**mine.settings, "because": f"edited; the analysis says: {new}"}), change
    return mine, change


def _steps(entry: Entry | None) -> object:
    return None if entry is None else entry.steps


def _evidence(entry: Entry | None) -> object:
    """The decision and its reason."""
    return None if entry is None else (entry.steps, entry.settings.get("because"))


def _describe(entry: Entry | None) -> str:
    return "nothing" if entry is None else str(entry)


def _merge_section(
    name: str, edited: PlanSections, last: PlanSections | None, new: PlanSections
) -> tuple[object, Change | None]:
    """A section that is no list of columns: as a whole a person's or the analysis's."""
    before = {} if last is None else last
    is_edited = name in edited if last is None else edited.get(name) != before.get(name)
    if name == "advice":
        is_edited = False
    differs = last is not None and before.get(name) != new.get(name)
    change = Change(name, is_edited, _as_text(before.get(name)), _as_text(new.get(name))) if differs else None
    return (edited.get(name) if is_edited else new.get(name)), change


def _as_text(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
