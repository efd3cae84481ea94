"""Where a run writes."""

from __future__ import annotations

from dataclasses import dataclass

from traintable.addresses import is_catalog_name, resolve, sibling
from traintable.config.dataset import Config
from traintable.errors import ConfigError


@dataclass(frozen=True)
class Places:
    """The table, the removed rows, the fitted pipeline, what is too large for a manifest, and private files."""

    table: str
    quarantine: str
    model: str
    manifests: str
    staging: str

    @classmethod
    def of(cls, config: Config, run_id: str) -> Places:
        """The places of one run; raises ConfigError when a catalog's table has no folder named beside it."""
        output, root = config.output, config.root
        table = _without_slash(resolve(output.table, root))
        folders = {"model_dir": output.model_dir, "staging_dir": output.staging_dir}
        for name, given in folders.items():
            if given is None and is_catalog_name(table):
                raise ConfigError(
                    where=f"output.{name}",
                    expected="a folder, because the table is named by a catalog",
                    found="none",
                    remedy="Name one that the cluster can write, such as a volume.",
                )
        model_dir = _without_slash(resolve(output.model_dir or sibling(table, "models"), root))
        manifests = sibling(model_dir if is_catalog_name(table) else table, "manifests")
        staging_dir = _without_slash(resolve(output.staging_dir or sibling(table, "staging"), root))
        quarantine = _without_slash(resolve(output.quarantine or sibling(table, "quarantine"), root))
        inputs = {resolve(name, root) for name in (config.source.table, *[join.table for join in config.joins])}
        if table in inputs or quarantine in {*inputs, table}:
            raise ConfigError(
                where="output",
                expected="tables that nothing is read from",
                found=f"'{table if table in inputs else quarantine}', which is an input or the other output",
                remedy="Name another one.",
            )
        return cls(table, quarantine, f"{model_dir}/{run_id}", manifests, f"{staging_dir}/{run_id}")


def _without_slash(place: str) -> str:
    """A place whose end is its name: S3 takes `t/` for another one than `t`."""
    return place.rstrip("/") or place
