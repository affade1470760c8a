"""The order of things: which runbook is typed in which clouds, and what is printed about it."""

import json
import time
from datetime import datetime

import azure_side
import bodies
import compare
import functions
import organization_vpc
import project_vpc
import tools
from clouds import Clouds
from compare import markdown
from evidence import evidence
from terminal import Terminal
from traps import Traps

# Nominal time runs so many times faster in the clouds. A network operation's length is what az is told to wait for in
# full, whatever the scale, so it is short; and a reader of the runbook takes longer to copy the ids from step 12 into
# step 13 than Entra takes to know the application in Aiven's tenant, which typing at this speed would not.
TIME_SCALE = 10
# Aiven's half alone is waited for more than worked on.
AVN_SCALE = 30
# Bodies do not depend on time.
FAST_SCALE = 60
LAGS = {"arm_operation": 2, "aiven_principal": 1}
# Slow enough to be met by commands of half a second each.
SLOW_DIRECTORY = {"arm_operation": 2, "graph_replication": 60, "aiven_principal": 200}


def run(what):
    """Everything that `what` names."""
    traps = Traps()
    if what in ("avn", "all"):
        aivens_side(traps)
    if what in ("az", "all"):
        by_hand = whole_runbooks(traps)
    if what in ("bodies", "all"):
        two = check_bodies()
    if what == "all":
        one = beside_our_functions(by_hand)
        heading("Traps of the runbooks, and what our status says")
        ours = evidence(one, two)
        rows = [(trap, printed, ours[key]) for key, trap, printed in traps.rows]
        print(markdown(("trap", "what the client prints", "our functions"), rows))
        print("\nThe texts of refusals are the emulated clouds', after the vendors' documentation.")
    elif traps.rows:
        heading("Traps of the runbooks")
        print(markdown(("trap", "what the client prints"), [row[1:] for row in traps.rows]))


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
        project_vpc.admit_network(avn)
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
    """Each published runbook with both clients, from the first login to the deletion; returns the first one's run."""
    first = whole("organization VPC (Aiven)", "organization", organization_vpc)
    whole("project VPC (Aiven)", "project", project_vpc)
    whole("project VPC, the older spelling (Timescale)", "project", project_vpc, older=traps)
    return first


def whole(title, owner, vpc, older=None):
    """One runbook; returns what it took until it was peered."""
    heading(f"az and avn: {title}")
    lags = SLOW_DIRECTORY if older is not None else LAGS
    with Clouds(time_scale=TIME_SCALE, vpc=owner, lags=lags) as clouds:
        terminal = Terminal(clouds, tools.AZ, tools.AVN)
        azure_side.register_cloud(terminal)
        began = time.monotonic()
        azure_side.log_in_as_administrator(terminal)
        if older is not None:
            clouds.ask("hold")
            older.older_flag_is_gone(terminal)
            print("       typed in its place: --sign-in-audience AzureADMultipleOrgs, the nearest that there is now")
        azure_side.give_permissions(terminal, older)
        vpc.find_vpc(terminal)
        vpc.create(terminal)
        vpc.await_pending_peer(terminal)
        azure_side.peer_network(terminal, older)
        vpc.await_active(terminal)
        done = ByHand(azure_side.check_peered(clouds), clouds.scene, list(terminal.typed), time.monotonic() - began)
        vpc.delete(terminal)
        azure_side.delete_half(terminal)
        azure_side.check_gone(clouds)
    return done


class ByHand:
    """A runbook that was typed until it was peered."""

    def __init__(self, state, scene, typed, wall):
        self.state, self.scene, self.typed, self.wall = state, scene, typed, wall


def check_bodies():
    """What our functions send in a run with everything that may be asked for."""
    heading("bodies: what our functions send")
    two = functions.two(FAST_SCALE)
    print(markdown(("service", "type", "bodies checked"), bodies.check(two.calls)))
    return two


def beside_our_functions(by_hand):
    """The end state and the cost of the runbook beside those of one message."""
    heading("our functions: one message on the queue")
    one = functions.one(TIME_SCALE, LAGS)
    heading("End states")
    rows = compare.table(compare.View(by_hand.state, by_hand.scene), compare.View(one.state, one.scene))
    print(markdown(("object", "the runbook by hand", "our functions", "rights"), rows))
    heading("What it takes")
    print(markdown(("until both clouds say so", "the runbook by hand", "our functions"), cost(by_hand, one)))
    print(f"""
One run each in the same emulated clouds, whose time runs {TIME_SCALE} times faster than the clock on the wall; what a client
itself takes is not scaled. Nobody hesitated, looked anything up or mistyped: a person's own time is not in it. Our
functions let a new role settle before Aiven tries it, {settling(one):.0f} of their seconds here; the runbook does not, and a
connection that is refused for it has to be made again. CPU seconds are those of az and avn (as the kernel counts ended
children), and of the handler's process; not those of whatever the clouds themselves take.""")
    return one


def settling(one):
    """Seconds that our functions waited for the role of Aiven's application to count."""
    facts, times = one.facts(), json.loads(one.records[0]["times"])
    return (at(times["authorize_aiven"]) - at(facts["aiven_assigned_at"])).total_seconds()


def at(text):
    """A moment as our records write it, to the second."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")


def cost(by_hand, one):
    """Rows of the cost table."""
    texts = {typed.text for typed in by_hand.typed}
    refused = [typed for typed in by_hand.typed if typed.exit_code]
    return [
        ("commands a person types", f"{len(by_hand.typed)}: {len(texts)} different ones, the rest again while waiting"
                                    f" or after one of {len(refused)} refusals", "0; one message is put on a queue"),
        ("requests sent to both clouds", sum(typed.requests for typed in by_hand.typed), len(one.calls)),
        ("CPU seconds", f"{sum(typed.cpu for typed in by_hand.typed):.1f}", "not measured here" if one.cpu is None else f"{one.cpu:.1f}"),
        ("wall seconds", f"{by_hand.wall:.0f}", f"{one.wall:.0f}"),
        ("secrets handled", "the application's password (printed, then typed for two logins); Aiven's token",
         "Aiven's token (a setting)"),
    ]
