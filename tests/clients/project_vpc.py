"""Aiven's how-to "Set up VPC peering on Azure" for the VPC of a project (and Timescale's, which is its older text), with `avn`."""

import json
import re

from terminal import Unexpected

_TUPLE = ("--project-vpc-id $aiven_project_vpc_id --peer-cloud-account $user_subscription_id"
          " --peer-resource-group $user_resource_group --peer-vpc $user_vnet_name")
_GET = f"avn vpc peering-connection get -v {_TUPLE}"


def find_vpc(avn):
    """The project that the texts take for granted, and its VPC."""
    vpc = avn.clouds.scene["vpc"]
    avn.names["project"] = vpc["project"]
    avn.run("11", "avn project switch $project")
    listed = avn.run("11", "avn vpc list").out
    if vpc["id"] not in listed:
        raise Unexpected(f"avn vpc list does not show {vpc['id']}: {listed}")
    avn.names["aiven_project_vpc_id"] = vpc["id"]


def create(avn, extra=""):
    """Step 11."""
    return avn.run("11", f"avn vpc peering-connection create {_TUPLE} --peer-azure-app-id $user_app_id"
                         f" --peer-azure-tenant-id $user_tenant_id{extra}")


def await_pending_peer(avn, traps=None):
    """Step 12: this command does show the ids, in a table."""
    shown = avn.until("12", _GET, lambda typed: "PENDING_PEER" in typed.out).out
    tenant = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", table(shown)["TO-TENANT-ID"])
    avn.names.update(aiven_tenant_id=tenant.group(), aiven_vnet_id=table(shown)["TO-NETWORK-ID"])
    if traps is not None:
        traps.get_compares_case(avn)


def table(printed):
    """The first row of a table that avn prints, by its headers."""
    lines = [line for line in printed.splitlines() if line.strip()]
    for head, rule, row in zip(lines, lines[1:], lines[2:]):
        if set(rule.strip()) <= {"=", " "}:
            spans = [match.span() for match in re.finditer(r"=+", rule)]
            return {head[start:end].strip(): row[start:end].strip() for start, end in spans}
    raise Unexpected(f"there is no table in {printed!r}")


def await_active(avn):
    """Step 14."""
    avn.until("14", _GET, lambda typed: re.search(r"\bACTIVE\b", typed.out) is not None)


def admit_network(avn):
    """What `verify_connectivity` prints where a service's IP filter does not admit the network: the whole list, as text of JSON."""
    filter = avn.run("", "avn service get pg-1 --json").json["user_config"]["ip_filter"] + ["10.0.1.0/24"]
    text = json.dumps(filter, separators=(",", ":"))
    avn.run("", f"avn service update pg-1 -c 'ip_filter={text}'")
    shown = avn.run("", "avn service get pg-1 --json").json["user_config"]["ip_filter"]
    if shown != filter:
        raise Unexpected(f"the service's IP filter is {shown} after the update, not {filter}")


def delete(avn):
    """The way back. Aiven's own sample leaves the resource group out, which Azure does not accept."""
    avn.run("del", f"avn vpc peering-connection delete {_TUPLE}")
    # It ends with DELETED in the list, and later with an error that there is none.
    avn.until("del", _GET, lambda typed: re.search("DELETED|does not exist", typed.out + typed.err), exit_codes=(0, 1))
