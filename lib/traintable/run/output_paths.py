"""The paths that a run writes to."""

from __future__ import annotations

from dataclasses import dataclass

from traintable.addresses import is_catalog_name, resolve, sibling
from traintable.config.dataset import Config
from traintable.errors import ConfigError


@dataclass(frozen=True)
class OutputPaths:
    """The paths, addresses or catalog names that a run writes to.

    Attributes
    ----------
    table : the training table.
    quarantine : the table of rows that are not published.
    model : the fitted pipeline.
    manifests : files that are too large for a manifest.
    staging : private files, which are deleted at the end.
    """

    table: str
    quarantine: str
    model: str
    manifests: str
    staging: str

    @classmethod
    def of(cls, config: Config, run_id: str) -> OutputPaths:
        """The paths of a run.

        Raises ConfigError for a table of a catalog without folders for models and private files, and for outputs that
        are also inputs.
        """
        output, root = config.output, config.root
        table = _without_slash(resolve(output.table, root))
        folders = {"model_dir": output.model_dir, "staging_dir": output.staging_dir}
        for name, folder in folders.items():
            if folder is None and is_catalog_name(table):
                raise ConfigError(
                    where=f"output.{name}",
                    expected="a folder, because the table belongs to a catalog",
                    found="none",
                    remedy="Name a folder that the cluster can write to, such as a volume.",
                )
        model_dir = _without_slash(resolve(output.model_dir or sibling(table, "models"), root))
        manifests = sibling(model_dir if is_catalog_name(table) else table, "manifests")
        staging_dir = _without_slash(resolve(output.staging_dir or sibling(table, "staging"), root))
        quarantine = _without_slash(resolve(output.quarantine or sibling(table, "quarantine"), root))
        inputs = {resolve(name, root) for name in (config.source.table, *[join.table for join in config.joins])}
        if table in inputs or quarantine in {*inputs, table}:
            raise ConfigError(
                where="output",
                expected="output tables that are not inputs, and a quarantine other than the training table",
                found=f"'{table if table in inputs else quarantine}', which is an input or the other output",
                remedy="Name another table in `output.table` or `output.quarantine`.",
            )
        return cls(table, quarantine, f"{model_dir}/{run_id}", manifests, f"{staging_dir}/{run_id}")


def _without_slash(path: str) -> str:
    """A path that ends with its name: for S3, `t/` is not `t`."""
    return path.rstrip("/") or path
