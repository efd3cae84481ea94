"""A plan file rewritten with what an analysis has changed: comments, order and quotes that a person wrote stay.

ruamel.yaml keeps a comment with the value that it follows. Where that value goes, or something comes between, the
lines of comment that belong to what follows are moved.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.tokens import CommentToken

from traintable.analyse.decisions.document import WIDTH, to_yaml
from traintable.analyse.decisions.merge import PlanSections


@dataclass(frozen=True)
class Comment:
    """A comment after a value: what stands at the end of its line, from `column` on, and the lines after that."""

    end: str = ""
    lines: tuple[str, ...] = ()
    column: int = 0

    @classmethod
    def parse(cls, token: Any) -> Comment:
        """The comment that ruamel.yaml has read."""
        if token is None:
            return cls()
        end, *lines = token.value.removesuffix("\n").split("\n")
        return cls(end, tuple(lines), token.start_mark.column)

    def token(self) -> CommentToken | None:
        """The comment as ruamel.yaml writes it."""
        if not self.end and not self.lines:
            return None
        return CommentToken("\n".join([self.end, *self.lines, ""]), CommentMark(self.column))


@dataclass(frozen=True)
class Place:
    """Where a comment is kept: with a key or an index of a container."""

    container: CommentedMap | CommentedSeq
    key: Any

    @property
    def _index(self) -> int:
        return 2 if isinstance(self.container, CommentedMap) else 0

    def read(self) -> Comment:
        """The comment that is kept here, with what stands before the first key of the value."""
        comments = self.container.ca.items.get(self.key)
        if not comments:
            return Comment()
        comment = Comment.parse(comments[self._index])
        return replace(comment, lines=(*comment.lines, *(_lines_of(comments[3]) if len(comments) > 3 else ())))

    def write(self, comment: Comment) -> None:
        """Keep this comment instead."""
        comments = self.container.ca.items.setdefault(self.key, [None] * (2 * self._index or 2))
        comments[self._index] = comment.token()
        comments[3:] = [None] * len(comments[3:])
        value = self.container[self.key]
        if isinstance(value, (CommentedMap, CommentedSeq)):
            value.ca.comment = None  # which says the same again

    def add_lines(self, lines: Sequence[str]) -> None:
        """Put lines after those that are kept here."""
        if lines:
            comment = self.read()
            self.write(replace(comment, lines=(*comment.lines, *lines)))

    def take_lines(self) -> tuple[str, ...]:
        """Take the lines away; what stands at the end of the value's line stays."""
        comment = self.read()
        if comment.lines:
            self.write(replace(comment, lines=()))
        return comment.lines


def rewrite(text: str, edited: PlanSections, merged: PlanSections) -> str:
    """The `text` of the plan `edited` with the values of the plan `merged`; the text itself where they are equal.

    A comment goes with the line, or the section, that it stands in; all others stay.
    """
    if edited == merged:
        return text
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    target = yaml.load(text)
    _graft(target, yaml.load(to_yaml(merged)), edited, merged, None)
    stream = io.StringIO()
    yaml.dump(target, stream)
    return stream.getvalue()


def _graft(
    target: CommentedMap, fresh: CommentedMap, old: Mapping[str, Any], new: Mapping[str, Any], head: Place | None
) -> None:
    """Give a mapping that holds `old` the values of `new`, as `fresh` has them.

    `head` is where the lines of comment before the first key are kept; a document's own are at its top.
    """
    own = dict(zip(old, list(target), strict=True))  # YAML libraries differ in which keys are texts
    made = dict(zip(new, list(fresh), strict=True))
    for name in [name for name in old if name not in new]:
        _remove(target, own.pop(name), head)
    previous: Any = None
    for name in new:
        if name not in own:
            own[name] = name
            _insert(target, previous, name, fresh[made[name]])
        elif old[name] != new[name]:
            key, value = own[name], fresh[made[name]]
            if isinstance(target[key], CommentedMap) and _is_block(target[key]) and isinstance(value, CommentedMap):
                _graft(target[key], value, old[name], new[name], Place(target, key))
            else:
                _replace(target, key, value)
        previous = own[name]


def _replace(target: CommentedMap, key: Any, value: Any) -> None:
    """Give a key another value; the comments after the key and after its value stay."""
    place, last = Place(target, key), _last_place(target, key)
    comment, head = last.read(), Comment() if last.container is target else place.read()
    last.write(Comment())
    target[key] = value
    last = _last_place(target, key)
    if last.container is target:  # one line, after which both comments stand
        comment = Comment(head.end or comment.end, (*head.lines, *comment.lines), head.column or comment.column)
    last.write(comment)


def _insert(target: CommentedMap, previous: Any, key: Any, value: Any) -> None:
    """Put a value after the key `previous`, or first; lines of comment that are there stay with what follows."""
    position = 0 if previous is None else list(target).index(previous) + 1
    lines = () if previous is None else _last_place(target, previous).take_lines()
    target.insert(position, key, value)
    _last_place(target, key).add_lines(lines)


def _remove(target: CommentedMap, key: Any, head: Place | None) -> None:
    """Take a key out; the lines of comment before and after it are then after what comes before it."""
    position = list(target).index(key)
    lines = _last_place(target, key).read().lines
    comments = target.ca.items.pop(key, None)
    lines = (*(_lines_of(comments[1]) if comments else ()), *lines)
    del target[key]
    if position:
        _last_place(target, list(target)[position - 1]).add_lines(lines)
    elif head is not None:
        head.add_lines(lines)
    elif any(lines):
        target.ca.comment = target.ca.comment or [None, []]
        target.ca.comment[1].append(CommentToken("\n".join([*lines, ""]), CommentMark(0)))


def _lines_of(tokens: Sequence[CommentToken] | None) -> tuple[str, ...]:
    """The lines of comments that are kept before a key."""
    texts = [" " * token.start_mark.column + token.value.removesuffix("\n") for token in tokens or ()]
    return tuple(line for text in texts for line in text.split("\n"))


def _is_block(value: object) -> bool:
    """Whether a value is written over several lines, each with a part of it."""
    return isinstance(value, (CommentedMap, CommentedSeq)) and bool(value) and not value.fa.flow_style()


def _last_place(container: CommentedMap, key: Any) -> Place:
    """Where the comment after a value is kept: with the last line of it."""
    place = Place(container, key)
    while _is_block(value := place.container[place.key]):
        place = Place(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)
    return place
