"""The source that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from traintable.ingest.landing.sources.changes import Changes
from traintable.ingest.landing.sources.files import Files
from traintable.ingest.landing.sources.rows import Origin
from traintable.ingest.landing.sources.tables import Table
from traintable.ingest_settings import IngestConfig
from traintable.ingest_sources import JdbcSource, TableSource

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def origin_of(config: IngestConfig, session: Callable[[], SparkSession]) -> Origin:
    """The source; `session` gives the Spark session, which is started when it is first asked for."""
    source = config.source
    if isinstance(source, JdbcSource):
        from traintable.ingest.landing.sources.jdbc import Jdbc

        return Jdbc(config, source)
    if isinstance(source, TableSource):
        return Changes(config, source) if config.load.mode == "changes" else Table(config, source, session)
    return Files(config, source)
