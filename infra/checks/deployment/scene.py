"""A copy of the project's deployment files, the stand-ins on PATH, and a world for them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import stand_in

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
LIMIT = 120  # seconds for one script

typed = []  # Every command of every scene, for the real clients' parsers.


class Scene:
    """`with Scene() as scene`: everything is below a folder that is gone afterwards."""

    def __init__(self, **changes):
        self._changes = changes

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name, "project")
        self.folder.mkdir()
        for name in ("azure.yaml", "README.md"):
            shutil.copy(ROOT / name, self.folder)
        shutil.copytree(ROOT / "infra", self.folder / "infra", ignore=shutil.ignore_patterns("checks", "package", "stager"))
        self.bin = Path(self._folder.name, "bin")
        self.bin.mkdir()
        for program in ("az", "azd", "cargo"):
            wrapper = self.bin / program
            wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{HERE / "stand_in.py"}" {program} "$@"\n')
            wrapper.chmod(0o755)
        self._world = Path(self._folder.name, "world.json")
        self.world = stand_in.new_world(**self._changes)
        return self

    def __exit__(self, *_):
        typed.extend(self.words)
        self._folder.cleanup()

    @property
    def world(self):
        return json.loads(self._world.read_text())

    @world.setter
    def world(self, world):
        self._world.write_text(json.dumps(world))

    def change(self, **changes):
        self.world = {**self.world, **changes}

    @property
    def calls(self):
        return [" ".join(call) for call in self.world["calls"]]

    @property
    def words(self):
        return self.world["calls"]

    def environment(self, **given):
        return {"PATH": f"{self.bin}{os.pathsep}{os.defpath}", "HOME": self._folder.name, "WORLD": str(self._world), "PAUSE": "0", **given}

    def run(self, *command, **given):
        """Runs a script in the copy. Returns what came of it, its two outputs as text."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(**given), capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
        )
