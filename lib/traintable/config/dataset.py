"""The configuration of one dataset: a YAML file, checked whole before any data is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_serializer,
    model_validator,
)

from traintable.addresses import resolve
from traintable.columns import column_name
from traintable.config import document
from traintable.config.durations import Duration
from traintable.config.leakage import Leakage
from traintable.config.plan import Plan
from traintable.config.promise import Promise, promise_of_run, without_unset
from traintable.config.section import Mismatch, Names, Section
from traintable.config.split import Folds, Split
from traintable.errors import ConfigError, InputMissing


def _plain(name: str) -> str:
    if column_name(name) != name or not name:
        raise ValueError("a name without spaces, commas, brackets or '='")
    return name


class Source(Section):
    """The table whose rows become training rows."""

    table: str
    version: int | None = Field(None, ge=0)
    where: str | None = None
    key: Names


class Asof(Section):
    """Join each row to the last right row at or before its time, no older than `tolerance`."""

    left: str
    right: str
    tolerance: Duration


class Join(Section):
    """A table that adds columns named `<name>_<column>`; it never adds or removes rows."""

    name: str = Field(pattern=r"^[A-Za-z]\w*$")
    table: str
    version: int | None = Field(None, ge=0)
    where: str | None = None
    on: dict[str, str] = Field(min_length=1)
    asof: Asof | None = None
    columns: Names


class Label(Section):
    """The answer to be learned; rows without one are filtered."""

    name: Annotated[str, AfterValidator(_plain)]
    expr: str
    classes: tuple[int | str, ...] = (0, 1)


class Expectation(Section):
    """One Great Expectations rule on the rows that will be published, and what happens when it does not hold."""

    model_config = ConfigDict(frozen=True, extra="allow")
    type: str
    id: str | None = Field(None, pattern=r"^[\w.:-]+$")
    level: Literal["warn", "quarantine", "fail"] = "fail"

    @model_validator(mode="before")
    @classmethod
    def _as_they_are_stored(cls, data: Any) -> Any:
        """Take an expectation as Great Expectations stores it, its arguments in `kwargs`, its level a `severity`."""
        if not isinstance(data, dict):
            return data
        rule = {name: value for name, value in data.items() if name not in ("kwargs", "severity", "meta")}
        severity = data.get("severity")
        if severity is not None:
            if severity not in _LEVELS:
                raise Mismatch(f"one of {', '.join(_LEVELS)} as severity", f"'{severity}'")
            rule.setdefault("level", _LEVELS[severity])
        return {**(data.get("kwargs") or {}), **{key: value for key, value in rule.items() if value is not None}}

    @property
    def kwargs(self) -> dict[str, Any]:
        """What the rule is called with."""
        return dict(self.model_extra or {})


_LEVELS = {"critical": "fail", "warning": "warn", "info": "warn"}


class DriftBounds(Section):
    """How far a version may be from the previous one: population stability indexes of its features, and rows."""

    warn: float | None = Field(0.25, gt=0)
    fail: float | None = Field(2.0, gt=0)
    fewer_rows: float | None = Field(0.5, gt=0, le=1)


class Gate(Section):
    """What must hold of the rows before they are published, in addition to the rules that always apply."""

    min_rows_per_split: int = Field(1, ge=1)
    max_quarantined: float = Field(0.05, ge=0, le=1)
    drift: DriftBounds = DriftBounds()
    expectations: tuple[Expectation, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> Gate:
        ids = [rule.id for rule in self.expectations if rule.id is not None]
        if len(set(ids)) != len(ids):
            raise Mismatch("expectations with different ids", f"{ids}")
        return self


class Output(Section):
    """Where the training table goes, and the tables and folders that belong to it."""

    table: str = Field(min_length=1)
    features: Literal["array", "columns"] = "array"
    model_dir: str | None = None
    quarantine: str | None = None
    staging_dir: str | None = None


class Against(Section):
    """What the rows of train are compared with: another table, or another version of the source, with its joins."""

    table: str | None = Field(None, min_length=1)
    version: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _is_named(self) -> Against:
        if self.table is None and self.version is None:
            raise ValueError("`against` needs a table, a version of the source, or a version of a table")
        return self


class Analysis(Section):
    """What `traintable analyse` reads besides the rows; a run ignores it."""

    partition: str | None = None
    against: Against | None = None


class Config(Section):
    """One dataset, from the warehouse to the training table."""

    name: str
    root: str = "."
    seed: int = Field(0, ge=-(2**63), lt=2**63)
    timeline: tuple[str, ...] = ()
    predict_at: str | None = None
    source: Source
    joins: tuple[Join, ...] = ()
    columns: dict[str, Annotated[Promise, AfterValidator(promise_of_run)]] = Field(default_factory=dict)
    derive: dict[str, str] = Field(default_factory=dict)
    label: Label
    split: Split
    prepare: Plan = Field(default_factory=lambda: Plan.model_construct(features={}))
    leakage: Leakage = Leakage()
    analysis: Analysis = Analysis()
    gate: Gate = Gate()
    output: Output

    @field_serializer("columns", mode="wrap")
    def _dump_columns(self, columns: dict[str, Promise], dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The promises as dictionaries, from which the fingerprint of a run is made."""
        return {name: _dumped_promise(promise) for name, promise in dump(columns).items()}

    @model_validator(mode="after")
    def _timeline_is_declared(self) -> Config:
        for where, event in self._events():
            if event not in self.timeline:
                raise Mismatch(f"an event of `timeline` {list(self.timeline)} as {where}", f"'{event}'")
        if any(c.available_at for c in self.columns.values()) and self.predict_at is None:
            raise ValueError("`available_at` is declared, so `predict_at` is expected")
        names = [join.name for join in self.joins]
        if len({name.lower() for name in names}) != len(names) or "source" in names:
            raise Mismatch("joins of different names, none of them 'source'", f"{names}")
        for key in self.source.key:
            _plain(key)
        return self

    @model_validator(mode="after")
    def _folds_fit(self) -> Config:
        fold, plan = self.split.fold, self.prepare
        if fold is None:
            return self
        if plan.fold in plan.features:
            raise ValueError(f"'{plan.fold}' is the fold, which is no feature")
        if plan.needs_fold and fold.leaves_out:
            raise ValueError("target encoding needs a fold for each row of train: split.fold has a gap or an embargo")
        if "n_folds" in plan.model_fields_set and plan.n_folds != fold.n:
            raise ValueError(f"prepare.n_folds is {plan.n_folds}, but split.fold.n is {fold.n}")
        _plain(plan.fold)
        return self

    @property
    def folds(self) -> Folds | None:
        """The folds that train gets: those declared, or those that target encoding needs."""
        needed = Folds(kind="hash", n=self.prepare.n_folds) if self.prepare.needs_fold else None
        return self.split.fold or needed

    def _events(self) -> Iterator[tuple[str, str]]:
        if self.predict_at is not None:
            yield "predict_at", self.predict_at
        for name, column in self.columns.items():
            if column.available_at is not None:
                yield f"columns.{name}.available_at", column.available_at


def _dumped_promise(dumped: dict[str, Any]) -> dict[str, Any]:
    promise = without_unset(dumped, ("source", "values", "format", "time_zone"))
    for key in ("min", "max"):
        if isinstance(promise.get(key), int) and float(promise[key]) == promise[key]:
            promise[key] = float(promise[key])  # as bounds were when they were all floats
    return promise


def load(path: str | Path, overrides: Sequence[str] = (), *, with_plan: bool = True) -> Config:
    """Read a configuration file and apply `section.key=value` overrides.

    Relative table names are taken from `root`, and a relative `root` from the folder of the file. `prepare` may name a
    file that holds the plan, relative to that folder; without `with_plan` there need be none.
    Raises InputMissing when there is no such file and ConfigError when it, or an override, is wrong.

    Examples
    --------
    >>> text = '''
    ... name: late
    ... source: {table: warehouse/flights, key: [id]}
    ... label: {name: late, expr: "delay > 30"}
    ... split: {method: hash, hash: {ratios: {train: 0.8, validation: 0.1, test: 0.1}}}
    ... prepare: {features: {distance: {impute: median, scale: standard}}}
    ... output: {table: training/late}
    ... '''
    >>> path = Path(folder, "late.yaml")
    >>> _ = path.write_text(text)
    >>> config = load(path, ["seed=7"])
    >>> config.seed, config.prepare.features["distance"].scale
    (7, 'standard')
    >>> load(path, ["label.exp=1"])
    Traceback (most recent call last):
    ...
    traintable.errors.ConfigError: ...late.yaml: label.exp: expected a known key, found 'exp'. Did you mean 'expr'?
    """
    path = Path(path)
    data = document.read_yaml(path)
    if not with_plan:
        data.pop("prepare", None)
    elif isinstance(data.get("prepare"), str):
        data["prepare"] = _plan_file(path, data["prepare"])
    elif "prepare" not in data:
        raise ConfigError(
            where=f"{path}: prepare",
            expected="a plan, or the name of a file that holds one",
            found="none",
            remedy="Write one, or let `traintable analyse` propose it.",
        )
    _take_suites(path, data)
    for text in overrides:
        if with_plan or not text.startswith("prepare."):
            document.apply_override(data, text)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise document.explain(error, str(path), Config) from None
    root = str(config.root)
    return config.model_copy(update={"root": resolve(root, str(path.resolve().parent))})


def plan_path(path: Path) -> Path | None:
    """The file that holds the plan of a configuration; None where the plan stands in it, or there is none."""
    name = document.read_yaml(path).get("prepare")
    return path.resolve().parent / name if isinstance(name, str) else None


def _take_suites(path: Path, data: dict[str, Any]) -> None:
    """Put the expectations of the suites that `gate.suites` names among those of the gate."""
    gate = data.get("gate")
    if not isinstance(gate, dict) or "suites" not in gate:
        return
    names = gate.pop("suites")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(
            where=f"{path}: gate.suites",
            expected="a list of files",
            found=repr(names),
            remedy="Name each file that holds a suite, relative to this one.",
        )
    expectations = list(gate.get("expectations") or [])
    for name in names:
        suite = document.read_yaml(path.resolve().parent / name)
        if not isinstance(suite.get("expectations"), list):
            raise ConfigError(
                where=str(path.resolve().parent / name),
                expected="a suite of Great Expectations: a mapping with a list of `expectations`",
                found=", ".join(map(str, suite)) or "nothing",
                remedy="Write one, or store one from Great Expectations as YAML or JSON.",
            )
        expectations += suite["expectations"]
    gate["expectations"] = expectations


def _plan_file(path: Path, name: str) -> Any:
    file = path.resolve().parent / name
    if not file.is_file():
        raise InputMissing(
            where=f"{path}: prepare",
            expected="a plan, or the name of a file that holds one",
            found=f"'{name}', which is not a file",
            remedy=f"`traintable analyse --config {path}` writes it.",
        )
    return document.read_yaml(file)
