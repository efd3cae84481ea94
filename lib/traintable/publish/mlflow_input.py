"""Log to MLflow which version was published: a dataset among the inputs of a run."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import warnings

from traintable.addresses import is_catalog_name
from traintable.delta.manifest import Manifest
from traintable.spark.errors import first_line

_LOG = logging.getLogger(__name__)
_RUN = "MLFLOW_RUN_ID"
_DIGEST_LENGTH = 36  # MLflow takes no longer one
_LOGIN = re.compile(r"//[^/@\s]+@")


def log_input(*, table: str, version: int, manifest: Manifest) -> bool:
    """Log a published version as an input of the MLflow run that is active, or that `MLFLOW_RUN_ID` names.

    Where neither is, or MLflow is not installed, nothing happens and MLflow is not imported. The input is what
    `mlflow.data.load_delta` makes of the version, by the session that is there, with the context "training"; its digest
    is the beginning of the content hash, its profile the number of rows. `traintable.run_id`,
    `traintable.content_hash` and `traintable.version` are tags of the input and of the run, whose state stays as it is.

    Gives whether it was logged. What goes wrong is a warning of this module's logger, and no error, for the version is
    published; a server that does not answer is waited for as long as MLflow is set to. No row is read.
    """
    if "mlflow" not in sys.modules and not os.environ.get(_RUN):
        return False
    try:
        import mlflow
    except ImportError:
        return False
    try:
        active = mlflow.active_run()
        run_id = active.info.run_id if active is not None else os.environ.get(_RUN)
        if not run_id:
            return False
        _log(run_id, table, version, manifest)
    except Exception as error:  # whatever it is, the version is published
        reason = _LOGIN.sub("//", first_line(error))
        _LOG.warning("table %s version %s was not logged to MLflow: %s", table, version, reason)
        return False
    return True


def _log(run_id: str, table: str, version: int, manifest: Manifest) -> None:
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag, RunTag

    place = {"table_name" if is_catalog_name(table) else "path": table}
    content = str(manifest["content_hash"])
    # MLflow leaves a version out that is the number 0, and would count the rows of a dataset that logs itself.
    named = {"version": str(version), "name": str(manifest["name"]), "digest": content[:_DIGEST_LENGTH]}
    made = mlflow.data.load_delta(**place, **named)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of whole numbers that are missing when a model is served
        schema = made.schema
    dataset = Dataset(
        name=made.name,
        digest=made.digest,
        source_type="delta_table",
        source=made.source.to_json(),
        schema=json.dumps({"mlflow_colspec": schema.to_dict()}) if schema else None,
        profile=json.dumps({"rows": manifest["rows"]["published"]}),
    )
    values = {"run_id": manifest["run_id"], "content_hash": content, "version": version}
    tags = {f"traintable.{name}": str(value) for name, value in values.items()}
    given = [InputTag(name, value) for name, value in {"mlflow.data.context": "training", **tags}.items()]
    client = mlflow.MlflowClient()
    client.log_inputs(run_id, datasets=[DatasetInput(dataset, given)])
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])
