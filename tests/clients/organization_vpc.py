"""Aiven's how-to "Manage an organization VPC peering with Microsoft Azure", Aiven's side of it, with `avn`."""

import json

from terminal import Unexpected

_CONNECTIONS = "avn organization vpc peering-connection"
_VPC = "--organization-id $AIVEN_ORG_ID --organization-vpc-id $AIVEN_ORGANIZATION_VPC_ID"


def find_vpc(avn):
    """The organization and its VPC."""
    organizations = avn.run("11", "avn organization list").out
    vpc = avn.clouds.scene["vpc"]
    if vpc["organization"] not in organizations:
        raise Unexpected(f"avn organization list does not show {vpc['organization']}: {organizations}")
    avn.names.update(aiven_org_id=vpc["organization"], aiven_organization_vpc_id=vpc["id"])


def create(avn, extra=""):
    """Step 11."""
    return avn.run("11", f"{_CONNECTIONS} create {_VPC} --peer-cloud-account $USER_SUBSCRIPTION_ID"
                         " --peer-resource-group $USER_RESOURCE_GROUP --peer-vpc $USER_VNET_NAME"
                         f" --peer-azure-app-id $USER_APP_ID --peer-azure-tenant-id $USER_TENANT_ID{extra}")


def await_pending_peer(avn, traps=None):
    """Step 12. The text's own command shows the state, but not the two ids to save: those need --json."""
    plain = avn.until("12", f"{_CONNECTIONS} list {_VPC}", lambda typed: "PENDING_PEER" in typed.out)
    whole = avn.run("12", f"{_CONNECTIONS} list {_VPC} --json")
    connection = whole.json[0]
    avn.names.update(
        aiven_tenant_id=connection["state_info"]["to-tenant-id"], aiven_vnet_id=connection["state_info"]["to-network-id"],
        connection_id=connection["peering_connection_id"],
    )
    if traps is not None:
        traps.list_lacks_ids(plain, avn.names)
        traps.vpc_is_not_its_peering(avn.run("trap", f"avn organization vpc get {_VPC}"), connection)
    return connection


def await_active(avn):
    """Step 14. The text says `avn organization vpc get`, which shows the VPC's state; the list shows the connection's."""
    avn.run("14", f"avn organization vpc get {_VPC}")
    avn.until("14", f"{_CONNECTIONS} list {_VPC}", lambda typed: "ACTIVE" in typed.out)


def delete(avn):
    """The way back, by the connection's id, until it is gone."""
    avn.run("del", f"{_CONNECTIONS} delete {_VPC} --peering-connection-id $connection_id")

    def gone(typed):
        return all(connection["state"] == "DELETED" for connection in json.loads(typed.out))

    avn.until("del", f"{_CONNECTIONS} list {_VPC} --json", gone)
