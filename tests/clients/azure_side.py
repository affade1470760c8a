"""What all published runbooks have a person do in Azure, with `az`: permissions first, the network's own half at the end."""

from terminal import Unexpected

# The scene's own spelling of them; a person would choose any.
APPLICATION, ROLE, PEERING = "aiven-peering", "aiven-peer-only", "to-aiven"
DEFINE_ROLE = f"""az role definition create --role-definition '{{"Name": "{ROLE}",
    "Description": "Allows creating a peering to vnets in scope (but not from)",
    "Actions": ["Microsoft.Network/virtualNetworks/peer/action"],
    "AssignableScopes": ["/subscriptions/'$user_subscription_id'"]}}'"""
AIVEN_APPLICATION = "55f300d4-fc50-4c5e-9222-e90a6e2187fb"

# What passes by itself: directory objects that are not everywhere yet, roles that do not count yet.
NOT_REPLICATED = "does not reference a valid application object|does not exist in the directory|ResourceNotFound|not found"
NOT_PROPAGATED = "AuthorizationFailed|LinkedAuthorizationFailed|InvalidAuthenticationTokenTenant"
NOT_KNOWN = "AADSTS7000215|AADSTS700016|AADSTS7000229|No subscriptions found"


def register_cloud(az):
    """Points az at the emulated clouds; only the endpoints differ from Azure's own."""
    scene = az.clouds.scene
    az.names.update(arm=scene["arm"], entra=scene["entra"], graph=scene["graph"])
    az.run("", "az cloud register --name Emulated --skip-endpoint-discovery --endpoint-resource-manager $arm/"
               " --endpoint-active-directory $entra --endpoint-active-directory-resource-id $arm/"
               " --endpoint-management $arm/ --endpoint-microsoft-graph-resource-id $graph/"
               " --endpoint-active-directory-graph-resource-id $graph/")
    az.run("", "az cloud set --name Emulated")
    az.typed.clear()  # Nobody types these in Azure itself.


def log_in_as_administrator(az):
    """Step 1. A browser is not at hand here, so the administrator is a service principal."""
    administrator = az.clouds.scene["administrator"]
    az.names.update(
        administrator=administrator["app_id"], administrator_secret=administrator["secret"],
        administrator_tenant=az.clouds.scene["tenant"], subscription=az.clouds.scene["vnet"].split("/")[2],
    )
    az.run("1", "az account clear")
    az.run("1", "az login --service-principal -u $administrator -p $administrator_secret --tenant $administrator_tenant")
    az.run("1", "az account set --subscription $subscription")


def give_permissions(az, traps=None):
    """Steps 2 to 10."""
    made = az.run("2", f'az ad app create --display-name "{APPLICATION}" --sign-in-audience AzureADMultipleOrgs --key-type Password')
    az.names["user_app_id"] = made.json["appId"]
    principal = az.insist("3", "az ad sp create --id $user_app_id", NOT_REPLICATED)[-1]
    az.names["user_sp_id"] = principal.json["id"]
    if traps is not None:
        traps.object_id_is_gone(principal)
        traps.fresh_principal(az)
    az.names["user_app_secret"] = az.run("4", "az ad app credential reset --id $user_app_id").json["password"]
    if traps is not None:
        traps.reset_removes_passwords(az)
    find_network(az)
    roles = az.run("6", 'az role definition list --name "Network Contributor"').json
    az.names["network_contributor_role_id"] = roles[0]["id"]
    az.insist("6", "az role assignment create --role $network_contributor_role_id"
                   " --assignee-object-id $user_sp_id --scope $user_vnet_id", NOT_REPLICATED)
    az.names["aiven_sp_id"] = az.run("7", f"az ad sp create --id {AIVEN_APPLICATION}").json["id"]
    az.names["aiven_role_id"] = az.run("8", DEFINE_ROLE).json["id"]
    if traps is not None:
        traps.aiven_is_admitted_already(az)
        traps.role_is_defined_already(az, DEFINE_ROLE)
    az.insist("9", "az role assignment create --role $aiven_role_id --assignee-object-id $aiven_sp_id --scope $user_vnet_id",
              NOT_REPLICATED + "|RoleDefinitionDoesNotExist")
    accounts = az.run("10", "az account list").json
    az.names["user_tenant_id"] = next(a["tenantId"] for a in accounts if a["isDefault"])


def find_network(az):
    """Step 5; what Aiven is told of it later has to be in lower case."""
    listed = az.run("5", "az network vnet list").json
    network = next((one for one in listed if one["id"].lower() == az.clouds.scene["vnet"].lower()), None)
    if network is None:
        raise Unexpected(f"az network vnet list does not show the network: {listed}")
    az.names.update(
        user_vnet_id=network["id"], user_subscription_id=network["id"].split("/")[2].lower(),
        user_resource_group=network["resourceGroup"].lower(), user_vnet_name=network["name"].lower(),
    )


def log_in_as_application(az, traps=None):
    """Step 13: the application in both tenants. Refused as long as it has no role that counts."""
    az.run("13", "az account clear")
    login = "az login --service-principal -u $user_app_id -p $user_app_secret --tenant"
    if traps is None:
        az.insist("13", f"{login} $user_tenant_id", NOT_KNOWN)
    else:
        # The role that was given in step 6 was held back until now; from the first refusal on it counts.
        traps.fresh_role(az.insist("13", f"{login} $user_tenant_id", NOT_KNOWN, before=lambda: az.clouds.ask("release")))
        traps.refusal_is_kept(az, f"{login} $aiven_tenant_id")
    az.insist("13", f"{login} $aiven_tenant_id", NOT_KNOWN)


def peer_network(az, traps=None):
    """Step 13: the network's own half. Refused while a role does not count yet: log in again, try again."""
    log_in_as_application(az, traps)
    tries = az.insist("13", f"az network vnet peering create --name {PEERING} --remote-vnet $aiven_vnet_id"
                            " --vnet-name $user_vnet_name --resource-group $user_resource_group"
                            " --subscription $user_subscription_id --allow-vnet-access",
                      NOT_PROPAGATED, before=lambda: log_in_as_application(az))
    state = tries[-1].json["peeringState"]
    if state != "Connected":
        raise Unexpected(f"the peering is {state} after it was created, not Connected")


def delete_half(az):
    """Once Aiven's half is gone, the network's own is of no use."""
    half = "--vnet-name $user_vnet_name --resource-group $user_resource_group --subscription $user_subscription_id"
    # What the fault of a network with too many peerings says to type.
    listed = [one["name"] for one in az.run("del", f"az network vnet peering list {half}").json]
    if listed != [PEERING]:
        raise Unexpected(f"az network vnet peering list shows {listed}, not {PEERING}")
    shown = az.run("del", f"az network vnet peering show --name {PEERING} {half}").json["peeringState"]
    if shown != "Disconnected":
        raise Unexpected(f"Aiven's half is deleted, and the network's is {shown}, not Disconnected")
    az.run("del", f"az network vnet peering delete --name {PEERING} {half}")


def check_peered(clouds):
    """Both clouds say so themselves, whatever the clients print. Returns the state."""
    state = clouds.state()
    connections = [c["state"] for c in state["connections"]]
    halves = [(p["state"], p["allow_access"]) for p in state["peerings"]]
    if connections != ["ACTIVE"] or halves != [("Connected", True)]:
        raise Unexpected(f"the clouds hold connections {connections} and halves {halves}, not one ACTIVE and one Connected")
    print("       the clouds: connection ACTIVE, network's half Connected", flush=True)
    return state


def check_gone(clouds):
    """Nothing of the peering is left on either side."""
    def gone(state):
        return not state["peerings"] and not state["aiven_peerings"] and all(c["state"] == "DELETED" for c in state["connections"])

    clouds.wait("the peering is gone", gone, 30)
    print("       the clouds: no connection, no half", flush=True)
