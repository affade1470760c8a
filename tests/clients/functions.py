"""The same peering by our functions: one message on the queue, nothing typed."""

import json
import os
import time
from pathlib import Path

from clouds import Clouds, wait
from terminal import Unexpected

ACTIVE_LIMIT = 240  # seconds


class Run:
    """What there was to see of a run, and what it cost."""

    def __init__(self, clouds):
        self.scene, self.state = clouds.scene, clouds.state()
        self.records, self.journal, self.calls = clouds.ask("records"), clouds.ask("journal"), clouds.calls()
        self.cpu, self.wall, self.while_pending = _handler_cpu(clouds.pid), 0.0, []

    def facts(self):
        """Of the scene's pair."""
        return next(json.loads(row["facts"]) for row in self.records if row["vnet"] == self.scene["vnet"])


def one(time_scale, lags):
    """An organization's VPC, as in the runbook, with our status sampled beside the clouds' own."""
    with Clouds(time_scale=time_scale, app=True, lags=lags) as clouds:
        began, pending = time.monotonic(), set()
        send(clouds, clouds.scene)

        def sample():
            records, state = clouds.ask("records"), clouds.state()
            status = records[0]["status"] if records else ""
            connections = [c["state"] for c in state["connections"]]
            if connections == ["PENDING_PEER"] and status:
                pending.add(status)
            halves = [p["state"] for p in state["peerings"]]
            if status == "Active" and (connections, halves) != (["ACTIVE"], ["Connected"]):
                raise Unexpected(f"our status is Active while the clouds hold {connections} and {halves}")
            return status

        wait("our status is Active", sample, lambda status: status == "Active", ACTIVE_LIMIT)
        wall = time.monotonic() - began
        run = Run(clouds)
    run.wall, run.while_pending = wall, sorted(pending)
    return run


def two(time_scale):
    """An organization's and a project's VPC at once, with everything that a request may ask for."""
    # Long enough that the application is refused a token at first.
    with Clouds(time_scale=time_scale, vpc="both", app=True, lags={"aiven_principal": 120}) as clouds:
        send(clouds, clouds.scene, user_peer_network_cidrs=["10.77.0.0/24"])
        send(clouds, clouds.scene["second"], allow_forwarded_traffic=True, peering_name="to-the-project")
        wait("both are Active", lambda: [row["status"] for row in clouds.ask("records")],
             lambda statuses: statuses == ["Active", "Active"], ACTIVE_LIMIT)
        return Run(clouds)


def send(clouds, pair, **options):
    """The one message; the VNet as Azure spells it."""
    message = {"version": 1, "action": "create", "vpc": pair["vpc"], "vnet": pair["vnet"], **options}
    clouds.ask("send " + json.dumps(message))


def _handler_cpu(parent):
    """Seconds of the handler's process so far; none where /proc is not."""
    ticks = os.sysconf("SC_CLK_TCK")
    seconds = None
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
        except (OSError, IndexError):
            continue  # It has just ended.
        fields = rest.split()
        if name == "handler" and _descends(int(fields[1]), parent):
            seconds = (seconds or 0.0) + (int(fields[11]) + int(fields[12])) / ticks
    return seconds


def _descends(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            return False
    return False
