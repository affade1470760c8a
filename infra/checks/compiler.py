"""The real compiler, where there is one: no diagnostic at all is the bar."""

import os
import re
import shutil
import subprocess

from tooling import INFRA

LIMIT = 120  # seconds a file
_DIAGNOSTIC = re.compile(r": (?:Warning|Error|Info) ")
# Parameter files read these; any values do.
_ENVIRONMENT = {
    "AZURE_ENV_NAME": "check", "AZURE_LOCATION": "northeurope", "PEERING_SUBSCRIPTIONS": "33333333-3333-4333-8333-333333333333",
    **{name: "11111111-1111-4111-8111-111111111111" for name in (
        "IDENTITY_PRINCIPAL_ID", "APPLICATION_ID", "APPLICATION_PRINCIPAL_ID", "AIVEN_PRINCIPAL_ID")},
}


def find():
    """The command of a compiler that works, or None."""
    for command in (["bicep"], ["az", "bicep"]):
        if shutil.which(command[0]) and _run([*command, "--version"] if command[0] == "bicep" else [*command, "version"]).returncode == 0:
            return command
    return None


def check(command):
    """Returns (faults, files compiled, files that only a missing registry kept from it)."""
    faults, compiled, unreachable = [], 0, []
    for path in sorted([*INFRA.rglob("*.bicep"), *INFRA.rglob("*.bicepparam")]):
        verbs = ["build-params"] if path.suffix == ".bicepparam" else ["build", "lint"]
        name, before = str(path.relative_to(INFRA)), len(faults)
        for verb in verbs:
            done = _run([*command, verb, *(["--file"] if command[0] == "az" else []), str(path), *([] if verb == "lint" else ["--stdout"])])
            said = [line for line in done.stderr.splitlines() if _DIAGNOSTIC.search(line)]
            if any("BCP192" in line for line in said):
                unreachable.append(name)
                break
            faults += said or ([f"{name}: {verb} ends with {done.returncode}: {done.stderr.strip()[:300]}"] if done.returncode else [])
        else:
            compiled += len(faults) == before
    return faults, compiled, unreachable


def _run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env={**os.environ, **_ENVIRONMENT}, stdin=subprocess.DEVNULL)
