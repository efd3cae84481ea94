"""Settings in a YAML file: reading it, overriding single values, and saying what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from traintable.addresses import resolve
from traintable.columns import nearest
from traintable.config.section import Mismatch
from traintable.errors import ConfigError, InputMissing

Settings = TypeVar("Settings", bound=BaseModel)
# What an error doesn't show: the values of such keys, and what an address says of user and password.
_SECRET_KEY = re.compile("password|secret|token|credential", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"(//|(?:user|password)=)[^/@&\s]*(@|(?=[&'\"\s]|$))")


class _Yaml(yaml.SafeLoader):
    """YAML whose `on`, `no` and `2013-09-15` are text, as in YAML 1.2, and which refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node; raises ConstructorError when a key is given twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' is given twice", node.value[i][0].start_mark
                )
        return super().construct_mapping(node, deep)


_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":int", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|True|false|False)$"), list("tTfF"))
_Yaml.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds; raises InputMissing or ConfigError when there is none."""
    try:
        data = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputMissing(
            where=str(path), expected="a readable YAML file", found=str(error), remedy="Check --config."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            where=str(path), expected="valid YAML", found=" ".join(str(error).split()), remedy="Correct that line."
        ) from error
    if not isinstance(data, dict):
        raise ConfigError(
            where=str(path),
            expected="a mapping of sections",
            found=type(data).__name__,
            remedy="Start from conf/flights.yaml.",
        )
    return data


def _parse(text: str) -> Any:
    return yaml.load(text, Loader=_Yaml)  # noqa: S506


def apply_override(data: dict[str, Any], text: str) -> None:
    """Apply `section.key=value` to `data`, the value read as YAML; raises ConfigError when it can't be."""
    name, equals, value = text.partition("=")
    keys = name.split(".")
    if not equals or not all(keys):
        raise ConfigError(
            where="--set",
            expected="section.key=value",
            found=repr(text),
            remedy="For example --set split.method=stratified.",
        )
    for key in keys[:-1]:
        inner = data[key] = {} if data.get(key) is None else data[key]
        if not isinstance(inner, dict):
            raise ConfigError(
                where=f"--set {text}",
                expected=f"'{key}' to be a section",
                found=type(inner).__name__,
                remedy="Lists are changed in the file, not by --set.",
            )
        data = inner
    try:
        data[keys[-1]] = _parse(value)
    except yaml.YAMLError as error:
        raise ConfigError(
            where=f"--set {text}",
            expected="a YAML value",
            found=" ".join(str(error).split()),
            remedy="Quote it for YAML, not only for the shell.",
        ) from error


def load_settings(path: str | Path, overrides: Sequence[str], model: type[Settings]) -> Settings:
    """The settings of `model` that a YAML file holds, with `section.key=value` overrides applied.

    A relative `root` is taken from the folder of the file.
    Raises InputMissing when there is no such file and ConfigError when it, or an override, is wrong.
    """
    path = Path(path)
    data = read_yaml(path)
    for text in overrides:
        apply_override(data, text)
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        raise explain(error, str(path), model) from None
    root = resolve(vars(config)["root"], str(path.resolve().parent))
    return config.model_copy(update={"root": root})


def explain(error: ValidationError, path: str, model: type[BaseModel]) -> ConfigError:
    """The first thing that is wrong with the settings of `model`, and how many others there are."""
    first = error.errors()[0]
    loc = _without_tags(model, [str(part) for part in first["loc"]])
    where = f"{path}: {'.'.join(loc) or 'configuration'}"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        known = _fields_at(model, loc[:-1])
        return ConfigError(
            where=where, expected="a known key", found=f"'{loc[-1]}'{more}", remedy=nearest(loc[-1], known)
        )
    if first["type"] == "missing":
        return ConfigError(where=where, expected="a value", found=f"none{more}", remedy="Add this key.")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Mismatch):
        return ConfigError(
            where=where, expected=cause.expected, found=f"{cause.found}{more}", remedy="Correct this section."
        )
    expected = str(cause or first["msg"]).replace("Input should be ", "")
    value = first["input"] if isinstance(first["input"], (str, int, float, type(None))) else "the section as given"
    shown = "a value that is not shown here" if _SECRET_KEY.search(where) else _IN_ADDRESS.sub(r"\1***\2", repr(value))
    return ConfigError(
        where=where, expected=expected, found=f"{shown}{more}", remedy="Correct this key; see conf/flights.yaml."
    )


def _without_tags(model: type[BaseModel], loc: Sequence[str]) -> list[str]:
    """`loc` without the tags that pydantic adds for a section that is one of several."""
    field = model.model_fields.get(loc[0]) if loc else None
    return [*loc[:1], *loc[2:]] if field and field.discriminator else list(loc)


def _fields_at(model: type[BaseModel], loc: Sequence[str]) -> list[str]:
    """The keys that the section at `loc` takes; names of entries of a list or mapping are skipped.

    Of a section that is one of several, the keys of all of them.
    """
    models: list[type[BaseModel]] = [model]
    for name in loc:
        fields = [section.model_fields[name] for section in models if name in section.model_fields]
        models = [inner for field in fields for inner in _sections_in(field.annotation)] or models
    return list(dict.fromkeys(name for section in models for name in section.model_fields))


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections_in(inner)]
