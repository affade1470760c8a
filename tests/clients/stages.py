"""The order of things: which runbook is typed in which clouds, and what is printed about it."""

import azure_side
import organization_vpc
import project_vpc
import tools
from clouds import Clouds
from terminal import Terminal
from traps import Traps

# Nominal time runs so many times faster in the clouds. A network operation's length is what az is told to wait for in
# full, whatever the scale, so it is short.
TIME_SCALE = 10
# Aiven's half alone is waited for more than worked on.
AVN_SCALE = 30
LAGS = {"arm_operation": 2}
# az takes half a second for a command: to meet a directory that has not replicated, it must not do so too fast.
SLOW_DIRECTORY = {"graph_replication": 60}


def run(what):
    """Everything that `what` names."""
    traps = Traps()
    if what in ("avn", "all"):
        aivens_side(traps)
    if what in ("az", "all"):
        whole_runbooks(traps)
    if traps.rows:
        heading("Traps of the runbooks")
        for trap, printed in traps.rows:
            print(f"- {trap}\n    {printed}")


def heading(text):
    """A line above what belongs together."""
    print(f"\n== {text}", flush=True)


def aivens_side(traps):
    """Aiven's side alone: what Azure needs is there already, and the network's half is made without a client."""
    heading("avn: an organization's VPC")
    with Clouds(time_scale=AVN_SCALE, vpc="organization", prepared=True) as clouds:
        avn = prepared(clouds)
        organization_vpc.find_vpc(avn)
        made = organization_vpc.create(avn, extra=" --user-peer-network-cidr 10.77.0.0/24")
        sent = [call["body"] for call in clouds.calls() if call["method"] == "POST"][-1]
        traps.create_drops_networks(sent, clouds.state())
        connection = organization_vpc.await_pending_peer(avn, traps)
        traps.create_lacks_id(made, connection["peering_connection_id"])
        finish(avn, organization_vpc)
    heading("avn: a project's VPC")
    with Clouds(time_scale=AVN_SCALE, vpc="project", prepared=True) as clouds:
        avn = prepared(clouds)
        project_vpc.find_vpc(avn)
        project_vpc.create(avn)
        project_vpc.await_pending_peer(avn, traps)
        traps.delete_needs_group(avn)
        finish(avn, project_vpc)


def prepared(clouds):
    """A terminal with what steps 1 to 10 have let the reader save."""
    avn = Terminal(clouds, tools.AVN)
    scene = clouds.scene
    _, _, subscription, _, group, _, _, _, name = scene["vnet"].lower().split("/")
    avn.names.update(user_app_id=scene["app_id"], user_tenant_id=scene["tenant"], user_subscription_id=subscription,
                     user_resource_group=group, user_vnet_name=name)
    return avn


def finish(avn, vpc):
    """Steps 13 (without a client) and 14, and the way back."""
    avn.clouds.ask("peer")
    vpc.await_active(avn)
    azure_side.check_peered(avn.clouds)
    vpc.delete(avn)


def whole_runbooks(traps):
    """Each published runbook with both clients, from the first login to the deletion."""
    whole("organization VPC (Aiven)", "organization", organization_vpc)
    whole("project VPC (Aiven)", "project", project_vpc)
    whole("project VPC, the older spelling (Timescale)", "project", project_vpc, older=traps)


def whole(title, owner, vpc, older=None):
    """One runbook; returns what was typed until it was peered, and the clouds' state then."""
    heading(f"az and avn: {title}")
    lags = {**LAGS, **SLOW_DIRECTORY} if older is not None else LAGS
    with Clouds(time_scale=TIME_SCALE, vpc=owner, lags=lags) as clouds:
        terminal = Terminal(clouds, tools.AZ, tools.AVN)
        azure_side.register_cloud(terminal)
        azure_side.log_in_as_administrator(terminal)
        if older is not None:
            clouds.ask("hold")
            older.older_flag_is_gone(terminal)
        azure_side.give_permissions(terminal, older)
        vpc.find_vpc(terminal)
        vpc.create(terminal)
        vpc.await_pending_peer(terminal)
        azure_side.peer_network(terminal, older)
        vpc.await_active(terminal)
        state = azure_side.check_peered(clouds)
        typed = list(terminal.typed)
        vpc.delete(terminal)
        azure_side.delete_half(terminal)
        azure_side.check_gone(clouds)
    return typed, state
