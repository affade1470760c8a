"""identity.sh with the real az, against the emulated directory: it creates, creates nothing again, and notices another identity."""

import subprocess
import time

import azure_side
import tools
from clouds import Clouds
from scene import ROOT
from stand_in import guid
from terminal import Terminal

SCALE = 10  # the emulated directory replicates ten times faster than Entra
LIMIT = 180  # seconds for one run


def check():
    """Returns (faults, figures)."""
    faults = []
    with Clouds(time_scale=SCALE) as clouds:
        az = Terminal(clouds, tools.AZ)
        azure_side.register_cloud(az)
        azure_side.log_in_as_administrator(az)

        def run(*arguments, identity):
            before = len(clouds.calls())
            done = subprocess.run(
                [ROOT / "infra" / "identity.sh", *arguments], env={**az.environment, "PAUSE": "1", "IDENTITY_PRINCIPAL_ID": identity},
                capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL,
            )
            return done, [call for call in clouds.calls()[before:] if call["method"] in ("POST", "PATCH", "PUT") and "graph" in str(call)]

        first, made = run(identity=guid(50))
        # The directory replicates: what was just made is not seen at once, and would be made again.
        end = time.monotonic() + LIMIT
        while run("check", identity=guid(50))[0].returncode and time.monotonic() < end:
            time.sleep(0.5)
        again, written = run(identity=guid(50))
        if first.returncode or again.returncode or first.stdout != again.stdout or len(first.stdout.splitlines()) != 4:
            faults.append(f"identity.sh: {first.stdout}{first.stderr}; again: {again.stdout}{again.stderr}")
        if len(made) < 4 or written:
            faults.append(f"identity.sh wrote {len(made)} objects, and again: {written}")
        missing, _ = run("check", identity=guid(51))
        if missing.returncode != 1 or f"missing: the federated credential of identity {guid(51)}" not in missing.stderr:
            faults.append(f"identity.sh check: {missing.returncode} {missing.stderr}")
    return faults, "created, unchanged by a second run, and a missing credential named"
