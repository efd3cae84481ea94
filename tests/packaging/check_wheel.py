"""Whether the package that others install is whole: `make package-check`.

The sdist and the wheel are built from a copy of the files under version control, so that nothing an earlier build left
behind gets in. The wheel is installed into an environment that holds what it requires and nothing else, linked from the
environment of this process to spare the download, and every module is imported there, far from the checkout.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
NEEDED_TO_RUN = {"traintable/py.typed", "traintable/spark/log4j2.properties", "traintable/quality/page.html"}
COMMANDS = (["traintable", "--help"], ["traintable", "ingest", "--help"], ["python", "-m", "traintable.cli", "--help"])

IMPORT_ALL = """
import importlib, sys
from pathlib import Path
import traintable
checkout, *modules = sys.argv[1:]
assert Path(traintable.__file__).is_relative_to(sys.prefix), traintable.__file__
assert not [place for place in sys.path if Path(place).resolve().is_relative_to(checkout)], sys.path
for module in modules:
    importlib.import_module(module)
print(f"{len(modules)} modules of traintable {traintable.__version__} imported from the installed wheel")
"""


def main() -> None:
    """Build, compare, install, import; the first thing that is wrong ends it with a message."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        files = copy_checkout(place / "checkout")
        wheel = build("wheel", place / "checkout", place / "dist")
        sdist = build("sdist", place / "checkout", place / "dist")
        require_all_files(wheel, files)
        require_same_content(wheel, build("wheel", unpack(sdist, place / "unpacked"), place / "dist_of_sdist"))
        python = install(wheel, place / "environment")
        modules = [module_of(file) for file in files if file.endswith(".py") and not file.endswith("__main__.py")]
        elsewhere = place / "elsewhere"
        elsewhere.mkdir()
        print(run([python, "-c", IMPORT_ALL, str(ROOT), *modules], elsewhere).strip())
        for program, *arguments in COMMANDS:
            shown = run([python.with_name(program), *arguments], elsewhere)
            if "Usage:" not in shown:
                sys.exit(f"{program} {' '.join(arguments)}: expected its usage, found:\n{shown}")


def copy_checkout(target: Path) -> list[str]:
    """Copy the files that are under version control or new; the paths of those of the package within it."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    paths = [path for path in listed.split("\0") if path and (ROOT / path).is_file()]
    for path in paths:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target / path)
    return [path.removeprefix("lib/") for path in paths if path.startswith("lib/")]


def build(kind: str, source: Path, target: Path) -> Path:
    """Build a wheel or an sdist by the hooks that pip calls, with the setuptools that is installed here."""
    target.mkdir(exist_ok=True)
    call = f"import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
    run([sys.executable, "-c", call, str(target)], source)
    [built] = target.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def unpack(sdist: Path, target: Path) -> Path:
    """Unpack an sdist; its one folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(target)
    [folder] = target.iterdir()
    return folder


def require_all_files(wheel: Path, files: list[str]) -> None:
    """Stop unless the wheel holds the files of the package in the checkout, and no others."""
    held = {name for name in contents(wheel) if not name.split("/")[0].endswith(".dist-info")}
    expected = set(files)
    if missing := sorted(expected - held):
        sys.exit(f"{wheel.name} lacks {len(missing)} files of lib/, among them {missing[:5]}.")
    if surplus := sorted(held - expected):
        sys.exit(f"{wheel.name} holds {len(surplus)} files that lib/ does not hold, among them {surplus[:5]}.")
    if absent := NEEDED_TO_RUN - held:
        sys.exit(f"{wheel.name} lacks {sorted(absent)}, without which commands fail.")


def require_same_content(wheel: Path, of_sdist: Path) -> None:
    """Stop unless the wheel that is built from the sdist holds the same bytes."""
    direct, derived = contents(wheel), contents(of_sdist)
    if different := sorted(name for name in {*direct, *derived} if direct.get(name) != derived.get(name)):
        sys.exit(f"The wheel built from the sdist differs from the one built from the checkout in {different[:5]}.")


def contents(wheel: Path) -> dict[str, str]:
    """The SHA-256 of each file of a wheel, by its name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def install(wheel: Path, environment: Path) -> Path:
    """Make an environment of the wheel and of what it requires, without extras; its Python."""
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel], ROOT)
    scheme = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", scheme))
    [own] = importlib.metadata.distributions(name="traintable", path=[str(packages)])
    for distribution in required_by(own):
        link(distribution, packages)
    return python


def required_by(distribution: importlib.metadata.Distribution) -> list[importlib.metadata.Distribution]:
    """The distributions that one requires, also indirectly, as they are installed here."""
    required: dict[tuple[str, str], importlib.metadata.Distribution] = {}
    waiting = [(distribution, "")]
    while waiting:
        current, extra = waiting.pop()
        for requirement in map(Requirement, current.requires or []):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            installed = importlib.metadata.distribution(requirement.name)
            if not requirement.specifier.contains(installed.version, prereleases=True):
                sys.exit(f"{current.name} requires {requirement}, but {installed.version} is installed.")
            for wanted in ("", *requirement.extras):
                if (key := (canonicalize_name(requirement.name), wanted)) not in required:
                    required[key] = installed
                    waiting.append((installed, wanted))
    return list({name: installed for (name, _), installed in required.items()}.values())


def link(distribution: importlib.metadata.Distribution, packages: Path) -> None:
    """Link the top folders and files of an installed distribution into another folder of packages."""
    tops = {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        (packages / top).symlink_to(str(distribution.locate_file(top)))


def module_of(file: str) -> str:
    """The dotted name of a module by its path in lib/."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def run(command: list[object], folder: Path) -> str:
    """Run a command without the PYTHON* variables of the caller; what it prints, or an exit with all of it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))[:200]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
