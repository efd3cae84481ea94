"""What README and CONTRIBUTING name is there: tests, files, make targets, commands and their options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from traintable.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")}
SOURCES = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
TESTS = {name for source in SOURCES for name in re.findall(r"def (test_\w+)", source)}
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_that_a_page_names_are_there(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGES[page]))
    assert named or page != "README.md"
    assert sorted(named - TESTS) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    named = re.findall(r"(?<![\w/])((?:jobs|conf|notebooks|tests|lib)/[\w./-]+\.(?:py|yaml|conf))", PAGES[page])
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_make_targets_that_a_page_names_are_there(page: str) -> None:
    named = set(re.findall(r"(?:^    |`)make ([a-z./-]+)", PAGES[page], re.MULTILINE))
    targets = set(re.findall(r"^([a-z./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert sorted(named - targets) == []


def test_the_commands_and_options_that_readme_shows_are_there() -> None:
    shown = re.findall(r"^ {4}(?:\.venv/bin/)?traintable ([a-z]+)([^#\n]*)", PAGES["README.md"], re.MULTILINE)
    assert len(shown) > 5
    assert {name for name, _ in shown} <= set(COMMANDS)
    for name, rest in shown:
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= known, name
