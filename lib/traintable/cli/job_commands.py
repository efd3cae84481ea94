"""The commands that make tables: `run`, `ingest`, `analyse`, `sample`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traintable import __version__
from traintable.cli.app import ConfigOption, SetOption, answer, app
from traintable.cli.lines import analysis_lines, landing_lines, outcome_text, sample_lines

if TYPE_CHECKING:
    from traintable.spark.progress import Progress

AllowOption = Annotated[
    list[str] | None, typer.Option("--allow", help="drift, rows or schema: the gate only warns of it.")
]


@app.command()
def run(config: ConfigOption, overrides: SetOption = None, allow: AllowOption = None) -> None:
    """Build and publish a training table: read, label, split, fit, transform, gate, publish."""

    def work() -> Mapping[str, Any]:
        from traintable.config import load

        settings = load(config, overrides or ())
        progress = start_progress(settings.name, config)
        from traintable.run import run as run_job

        outcome = run_job(settings, allow=allow or (), progress=progress)
        progress.note(outcome_text(outcome))
        return outcome.to_dict()

    answer(work)


@app.command()
def ingest(
    config: ConfigOption,
    interval: Annotated[
        str | None, typer.Option("--interval", help="START/END in UTC; may span several intervals.")
    ] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Land repaired records of the quarantine.")] = False,
    overrides: SetOption = None,
) -> None:
    """Land what is new in a source in a Delta table, each record once; what can't be landed is quarantined."""

    def work() -> Mapping[str, Any]:
        from traintable.config.ingest import load

        settings = load(config, overrides or ())
        progress = start_progress(settings.name, config)
        result: Mapping[str, Any]
        if replay:
            from traintable.ingest.replay import replay as replay_quarantine

            result = replay_quarantine(settings, progress=progress)
        else:
            from traintable.ingest import ingest as land

            result = land(settings, interval=interval, progress=progress)
        for line in landing_lines(result):
            progress.note(line)
        return result

    answer(work)


@app.command()
def analyse(config: ConfigOption, overrides: SetOption = None) -> None:
    """Profile the rows, write a report, and propose a plan that `run` carries out."""

    def work() -> Mapping[str, Any]:
        from traintable.config.dataset import load, plan_path

        settings = load(config, overrides or (), with_plan=False)
        progress = start_progress(settings.name, config)
        from traintable.run.analyse import analyse_table

        result = analyse_table(settings, plan=plan_path(config), progress=progress)
        for line in analysis_lines(result):
            progress.note(line)
        return result

    answer(work)


@app.command()
def sample(config: ConfigOption, overrides: SetOption = None) -> None:
    """Draw a sample of one table and publish it as another, with the probability of each row."""

    def work() -> Mapping[str, Any]:
        from traintable.config.sample import load

        settings = load(config, overrides or ())
        progress = start_progress(settings.name, config)
        from traintable.run.sample import draw_sample

        result = draw_sample(settings, progress=progress)
        for line in sample_lines(result):
            progress.note(line)
        return result

    answer(work)


def start_progress(name: str, config: Path) -> Progress:
    """The progress of a command, after its first line, which names the dataset and its configuration."""
    from traintable.spark.progress import Progress

    progress = Progress()
    progress.note(f"traintable {__version__}  {name}  ({config})")
    return progress
