"""A new proposal and a plan that a person has edited since the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_FOR_THE_READER = ("because", "alternatives")
_SECTIONS = ("features", "drop")


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

    def to_dict(self) -> dict[str, Any]:
        """The change as plain values."""
        return asdict(self)


def merge(
    edited: Mapping[str, Any], last: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Change]]:
    """The plan after analysing again, and what changed.

    An entry (a column's decision, or a whole other section) that still is what was proposed last time becomes what is
    proposed now; one that a person has changed, added or removed stays as it is, with the new evidence as its
    `because`. Without the last proposal everything in `edited` counts as a person's. `because` and `alternatives`
    decide nothing, so they don't count as edits.
    """
    before = last or {}
    plan: dict[str, Any] = {}
    changes: list[Change] = []
    mine, known, proposed = _entries(edited), _entries(before), _entries(new)
    result: dict[str, tuple[str, Any]] = {}
    for name in dict.fromkeys([*proposed, *mine]):
        entry, change = _decided(name, mine.get(name), known.get(name), proposed.get(name), has_last=last is not None)
        if entry is not None:
            result[name] = entry
        if change is not None:
            changes.append(change)
    for section in _SECTIONS:
        entries = {name: entry for name, (where, entry) in result.items() if where == section}
        if entries:
            plan[section] = entries
    others = [name for name in dict.fromkeys([*edited, *new]) if name not in _SECTIONS]
    for name in others:
        value, change = _section(name, edited, before, new, has_last=last is not None)
        if value is not None:
            plan[name] = value
        if change is not None:
            changes.append(change)
    order = [name for name in dict.fromkeys([*edited, *new]) if name in plan]
    return {name: plan[name] for name in order}, changes


def _entries(plan: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Column -> the section it stands in, and its entry."""
    return {name: (section, entry or {}) for section in _SECTIONS for name, entry in (plan.get(section) or {}).items()}


def _bare(found: tuple[str, Any] | None) -> tuple[str, Any] | None:
    """A decision without what is said of it."""
    if found is None:
        return None
    section, entry = found
    return section, {key: value for key, value in entry.items() if key not in _FOR_THE_READER}


def _decided(
    name: str,
    mine: tuple[str, Any] | None,
    last: tuple[str, Any] | None,
    new: tuple[str, Any] | None,
    *,
    has_last: bool,
) -> tuple[tuple[str, Any] | None, Change | None]:
    """The entry of a column and what changed of it."""
    is_edited = _bare(mine) != _bare(last) if has_last else mine is not None
    differs = _evidence(last) != _evidence(new) if has_last else _bare(mine) != _bare(new)
    reference = last if has_last else mine
    change = Change(name, is_edited, _shown(reference), _shown(new)) if differs else None
    if not is_edited:
        return new, change
    if mine is None:
        return None, change
    section, entry = mine
    if new is not None and _bare(mine) == _bare(new):
        return new, None
    if new is not None and new[1].get("because"):
        entry = {**entry, "because": f"edited; the analysis says: {_shown(new)}"}
    return (section, entry), change


def _evidence(found: tuple[str, Any] | None) -> Any:
    """The decision and its reason."""
    return None if found is None else (_bare(found), found[1].get("because"))


def _section(
    name: str, edited: Mapping[str, Any], last: Mapping[str, Any], new: Mapping[str, Any], *, has_last: bool
) -> tuple[Any, Change | None]:
    """A section that is no list of columns: as a whole a person's or the analysis's."""
    is_edited = edited.get(name) != last.get(name) if has_last else name in edited
    if name == "advice":
        is_edited = False
    differs = has_last and last.get(name) != new.get(name)
    change = Change(name, is_edited, _text(last.get(name)), _text(new.get(name))) if differs else None
    return (edited.get(name) if is_edited else new.get(name)), change


def _shown(found: tuple[str, Any] | None) -> str:
    if found is None:
        return "nothing"
    section, entry = found
    steps = ", ".join(f"{key}: {_text(value)}" for key, value in entry.items() if key not in _FOR_THE_READER)
    because = f" because {entry['because']}" if entry.get("because") else ""
    return f"{'left out' if section == 'drop' else steps or 'as it is'}{because}"


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
