"""Who reaches storage and vault over the network, by what the set of parameters asks for."""


def firewalls(snapshot):
    """The rules of storage and vault, and the subnets that they are about."""
    if snapshot.template not in ("main", "app"):
        return
    for subnet in (inner for one in snapshot.of_type("Microsoft.Network/virtualNetworks") for inner in one["properties"]["subnets"]):
        delegated = [one["properties"]["serviceName"] for one in subnet["properties"].get("delegations", [])]
        if delegated != (["Microsoft.App/environments"] if subnet["name"] == "functions" else []) or "_" in subnet["name"]:
            yield f"subnet {subnet['name']} cannot take what it is for"
    private, deny = _asked(snapshot)
    for type_ in ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"):
        properties = snapshot.one(type_)["properties"]
        rules = properties["networkAcls"]
        wanted = [{"id": _subnet(snapshot)}] if deny else []
        if rules["virtualNetworkRules"] != wanted or rules["defaultAction"] != ("Deny" if deny or private else "Allow"):
            yield f"{type_}: its rules are {rules}"
        if properties["publicNetworkAccess"] != ("Disabled" if private and not rules["ipRules"] else "Enabled"):
            yield f"{type_}: public access is {properties['publicNetworkAccess']}"


def endpoints(snapshot):
    """A private endpoint for each service, outside of the delegated subnet, and a zone that resolves to it in the VNet of the app."""
    if snapshot.template not in ("main", "app"):
        return
    made = snapshot.of_type("Microsoft.Network/privateEndpoints")
    reached = sorted(
        (link["properties"]["privateLinkServiceId"].rsplit("/", 2)[-2], *link["properties"]["groupIds"])
        for one in made for link in one["properties"]["privateLinkServiceConnections"])
    all_ = [("storageAccounts", "blob"), ("storageAccounts", "queue"), ("storageAccounts", "table"), ("vaults", "vault")]
    if reached != (all_ if _asked(snapshot)[0] else []):
        yield f"private endpoints reach {reached}"
    if any(one["properties"]["subnet"]["id"] == _subnet(snapshot) for one in made):
        yield "a private endpoint is in the delegated subnet"
    zones = {one["id"] for one in snapshot.of_type("Microsoft.Network/privateDnsZones")}
    for one in snapshot.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        group = one["id"].split("/privateDnsZoneGroups/")[0].rsplit("-", 1)[-1]
        kind = {"vault": "vaultcore"}.get(group, group)
        for zone in (config["properties"]["privateDnsZoneId"] for config in one["properties"]["privateDnsZoneConfigs"]):
            if f"/privatelink.{kind}." not in zone or (zones and zone not in zones):
                yield f"the endpoint of {group} is resolved by {zone}"
    links = snapshot.of_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    linked = {one["id"].split("/virtualNetworkLinks/")[0]: one["properties"]["virtualNetwork"]["id"] for one in links}
    if set(linked) != zones or any(vnet != "/".join(_subnet(snapshot).split("/")[:9]) for vnet in linked.values()):
        yield f"zones are linked as {linked}"


def _asked(snapshot):
    """Whether the set of parameters asks for private endpoints, and for Deny."""
    return "private-endpoints" in snapshot.name, snapshot.name.endswith("-deny")


def _subnet(snapshot):
    return snapshot.one("Microsoft.Web/sites")["properties"].get("virtualNetworkSubnetId")
