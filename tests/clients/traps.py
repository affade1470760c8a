"""Where the published runbooks mislead the reader: each trap shown by a real command, beside what our status says."""

import time
import re

import project_vpc
from azure_side import AIVEN_APPLICATION, NOT_REPLICATED
from terminal import Unexpected


def error(typed):
    """The beginning of what a client says went wrong."""
    lines = [line for line in typed.err.splitlines() if "ERROR" in line or "Code:" in line] or [typed.err]
    text = " ".join(lines[0].split())
    return text if len(text) <= 160 else text[:160].rsplit(" ", 1)[0] + " …"


class Traps:
    """Rows of (key, trap, what the client printed); what a row says has been seen."""

    def __init__(self):
        self.rows = []

    def note(self, key, trap, printed, shown):
        """A trap that is not there any more is as unexpected as one that fails."""
        if not shown:
            raise Unexpected(f"the trap is not there: {trap}; the client printed {printed!r}")
        self.rows.append((key, trap, " ".join(printed.split())))

    # avn

    def vpc_is_not_its_peering(self, typed, connection):
        """The runbook's last command, typed too early."""
        vpc = project_vpc.table(typed.out)
        self.note("vpc", "`organization vpc get`, the runbook's check for ACTIVE, shows the VPC's state, not the peering's",
                  f"STATE {vpc['STATE']}, while the peering is {connection['state']}",
                  vpc["STATE"] == "ACTIVE" and connection["state"] == "PENDING_PEER")

    def list_lacks_ids(self, typed, names):
        """The ids to save are only in the JSON."""
        columns = ", ".join(project_vpc.table(typed.out))
        missing = names["aiven_tenant_id"] not in typed.out and names["aiven_vnet_id"] not in typed.out
        self.note("ids", "`peering-connection list` does not print to-tenant-id and to-network-id, which one is told to copy from it",
                  f"columns {columns}", missing)

    def create_lacks_id(self, typed, connection_id):
        """Deleting needs the id that creating does not show."""
        columns = ", ".join(project_vpc.table(typed.out))
        self.note("create", "`organization vpc peering-connection create` does not print the id that `delete` needs",
                  f"columns {columns}", connection_id not in typed.out)

    def create_drops_networks(self, sent, state):
        """The flag is taken, and nothing of it is sent."""
        cidrs = state["connections"][0]["cidrs"]
        self.note("networks", "`organization vpc peering-connection create --user-peer-network-cidr` is accepted and dropped",
                  f"exit 0; Aiven has user_peer_network_cidrs {cidrs}", cidrs == [] and "cidr" not in sent)

    def get_compares_case(self, avn):
        """The portal's spelling of the resource group is not found."""
        avn.names["resource_group_as_azure_spells_it"] = avn.clouds.scene["vnet"].split("/")[4]
        typed = avn.run("trap", "avn vpc peering-connection get --project-vpc-id $aiven_project_vpc_id"
                                " --peer-cloud-account $user_subscription_id"
                                " --peer-resource-group $resource_group_as_azure_spells_it --peer-vpc $user_vnet_name", 1)
        self.note("case", "`vpc peering-connection get` compares names by case, Azure does not",
                  f"exit 1, {typed.out + typed.err}", "does not exist" in typed.out + typed.err)

    def delete_needs_group(self, avn):
        """Aiven's own sample of the deletion does not work for Azure."""
        typed = avn.run("trap", "avn vpc peering-connection delete --project-vpc-id $aiven_project_vpc_id"
                                " --peer-cloud-account $user_subscription_id --peer-vpc $user_vnet_name", 1)
        said = re.search(r'peer_resource_group must be[^"]*', typed.out + typed.err)
        self.note("group", "`vpc peering-connection delete` as the sample has it, without the resource group, is refused",
                  f"exit 1, {said.group() if said else typed.out}", said)

    # az

    def older_flag_is_gone(self, az):
        """The older text's own spelling."""
        typed = az.run("trap", 'az ad app create --display-name "aiven-peering" --available-to-other-tenants --key-type Password', 2)
        said = re.search("unrecognized arguments:.*", typed.err)
        self.note("flag", "the older text's `az ad app create --available-to-other-tenants` is no longer understood",
                  f"exit 2, {said.group() if said else typed.err}", said)

    def object_id_is_gone(self, typed):
        """The older text's name of a field."""
        self.note("field", "the older text's field `objectId` of `az ad sp create` is called `id` now",
                  f"fields {', '.join(name for name in typed.json if 'id' in name.lower())}",
                  "objectId" not in typed.json and "id" in typed.json)

    def fresh_principal(self, az):
        """A role for a principal that was made a moment ago."""
        az.names["user_vnet_id"] = az.clouds.scene["vnet"]
        typed = az.type("trap", 'az role assignment create --role "Network Contributor" --assignee-object-id $user_sp_id'
                                " --scope $user_vnet_id")
        said = error(typed)
        self.note("directory", "`az role assignment create` right after `az ad sp create` is refused until the directory has replicated",
                  f"exit {typed.exit_code}, {said}", typed.exit_code and re.search(NOT_REPLICATED, typed.err))

    def fresh_role(self, tries):
        """A login with a role that was given a moment ago: not the error that the runbook prepares its reader for."""
        refused = [one for one in tries if one.exit_code]
        said = error(refused[0]) if refused else "nothing"
        self.note("role", "until its role counts, the application cannot even log in, and `az login` says something else than the text",
                  f"exit 1, {said}", "No subscriptions found" in said)

    def refusal_is_kept(self, az, login):
        """az (MSAL) keeps a refusal of Entra for a minute, and repeats it without asking."""
        tries = [az.type("trap", login), az.type("trap", login)]
        self.note("kept", "`az login` again, as the text advises, repeats a refusal for a minute without asking anybody",
                  f"exit {tries[0].exit_code} after {tries[0].requests} requests, exit {tries[1].exit_code} after"
                  f" {tries[1].requests}; both times {error(tries[1])}",
                  [one.exit_code for one in tries] == [1, 1] and tries[0].requests > 0 and tries[1].requests == 0)
        # What a reader of the runbook does not know; otherwise the minute would have to be waited for.
        az.environment["AZURE_CORE_USE_MSAL_HTTP_CACHE"] = "false"

    def reset_removes_passwords(self, az):
        """A second peering that shares the application breaks the first one's credential."""
        first = self._passwords(az)
        az.names["user_app_secret"] = az.run("trap", "az ad app credential reset --id $user_app_id").json["password"]
        second = self._passwords(az)
        self.note("reset", "`az ad app credential reset`, typed for a second peering, removes the first one's password",
                  f"{len(first)} password before, {len(second)} after, {len(first & second)} of them the same",
                  first and second and not first & second)

    def _passwords(self, az):
        """Which there are; a replica may show a new one late, so a list without any is asked for again, for a minute."""
        end = time.monotonic() + 60
        while True:
            listed = {one["keyId"] for one in az.run("trap", "az ad app credential list --id $user_app_id").json}
            if listed or time.monotonic() > end:
                return listed
            time.sleep(0.5)

    def aiven_is_admitted_already(self, az):
        """The second peering of a tenant."""
        typed = az.type("trap", f"az ad sp create --id {AIVEN_APPLICATION}")
        self.note("admitted", "`az ad sp create` for Aiven's application fails for the second peering of a tenant",
                  f"exit {typed.exit_code}, {error(typed)}", typed.exit_code != 0 and "already in use" in typed.err)

    def role_is_defined_already(self, az, command):
        """Role names are unique in a tenant, and each call makes a new id."""
        typed = az.type("trap", command)
        self.note("defined", "`az role definition create` fails for the second peering of a tenant",
                  f"exit {typed.exit_code}, {error(typed)}", typed.exit_code != 0 and "RoleDefinitionWithSameName" in typed.err)
