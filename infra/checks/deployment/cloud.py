"""az, as far as the scripts and the README use it: each command over the world of stand_in.py."""

import json
import os
import re
from pathlib import Path

from stand_in import Refused, fresh, guid, parsed

AUDIENCE = "api://AzureADTokenExchange"
LOGIN = "https://login.microsoftonline.com"
NOT_FOUND = 3  # az's exit code where what it was to show does not exist


def az(world, words):
    command, flags = parsed(words)
    name = " ".join(command)
    if name not in COMMANDS:
        raise Refused(f"the stand-in does not know az {name}")
    if not world["logged_in"] and name not in ("login", "version", "bicep upgrade"):
        raise Refused("Please run 'az login' to setup account.")
    return shown(COMMANDS[name](world, flags), flags)


def shown(value, flags):
    """As az prints it, by az's own query language."""
    if "--query" in flags:
        import jmespath

        value = jmespath.search(flags["--query"][0], value)
    form = next((flags[name][0] for name in ("--output", "-o") if name in flags), "json")
    if form == "none" or value is None:
        return None
    if form == "json":
        return json.dumps(value, indent=2)
    rows = value if isinstance(value, list) else [value]
    return "\n".join("\t".join(map(str, row.values())) if isinstance(row, dict) else str(row) for row in rows)


def one(flags, *names):
    return next(flags[name][0] for name in names if name in flags)


def login(world, _):
    world["logged_in"] = True


def account(world, _):
    return {"id": world["chosen"] or guid(2), "tenantId": world["tenant"]}


def account_set(world, flags):
    world["chosen"] = one(flags, "--subscription")


def identity_show(world, flags):
    group, name = one(flags, "--resource-group"), one(flags, "--name")
    try:
        return {"principalId": world["groups"][group][name]}
    except KeyError:
        raise Refused("(ResourceNotFound) The Resource was not found.", NOT_FOUND) from None


def identity_create(world, flags):
    group = one(flags, "--resource-group")
    if group not in world["groups"]:
        raise Refused(f"(ResourceGroupNotFound) Resource group '{group}' could not be found.")
    return {"principalId": identity(world, group, one(flags, "--name"))}


def identity(world, group, name):
    """The object id; made if it is missing."""
    return world["groups"].setdefault(group, {}).setdefault(name, fresh(world))


def group_show(world, flags):
    if one(flags, "--name") not in world["groups"]:
        raise Refused("(ResourceGroupNotFound) It could not be found.", NOT_FOUND)
    return {"id": f"/resourceGroups/{one(flags, '--name')}"}


def group_create(world, flags):
    world["groups"].setdefault(one(flags, "--name"), {})


def application(world, key):
    """By appId."""
    for one_ in world["applications"].values():
        if one_["appId"] == key:
            return one_
    raise Refused(f"Resource '{key}' does not exist or one of its queried reference-property objects are not present. (ResourceNotFound)", NOT_FOUND)


def rest(world, flags):
    address, method = one(flags, "--url"), one(flags, "--method")
    if "/query" in address:
        return {"tables": [{"rows": [[world["timers"]]]}]}
    name = re.search(r"uniqueName='([^']+)'", address).group(1)
    known = world["applications"].get(name)
    if method == "patch":
        if known is None:
            if "Prefer=create-if-missing" not in flags["--headers"]:
                raise Refused("Not Found")
            known = world["applications"][name] = {"appId": fresh(world), "credentials": []}
        known.update(json.loads(one(flags, "--body")))
        return known
    if known is None:
        raise Refused('Not Found({"error":{"code":"Request_ResourceNotFound","message":"Resource does not exist"}})')
    return known


def credentials(world, flags):
    return application(world, one(flags, "--id"))["credentials"]


def credential_create(world, flags):
    known, new = application(world, one(flags, "--id"))["credentials"], json.loads(one(flags, "--parameters"))
    if any(one_["name"] == new["name"] for one_ in known):
        raise Refused(f"FederatedIdentityCredential with name {new['name']} already exists.")
    if any((one_["issuer"], one_["subject"]) == (new["issuer"], new["subject"]) for one_ in known):
        raise Refused("FederatedIdentityCredential with issuer and subject already exists.")
    known.append({"id": fresh(world), **new})


def credential_update(world, flags):
    known = application(world, one(flags, "--id"))["credentials"]
    next(one_ for one_ in known if one_["id"] == one(flags, "--federated-credential-id")).update(json.loads(one(flags, "--parameters")))


def principal_show(world, flags):
    app = one(flags, "--id")
    if app not in world["principals"]:
        raise Refused(f"Service principal '{app}' doesn't exist", NOT_FOUND)
    return {"id": world["principals"][app]}


def principal_create(world, flags):
    return {"id": world["principals"].setdefault(one(flags, "--id"), fresh(world))}


def deployment(world, flags):
    """A deployment of one of our parameter files, from the variables that it reads."""
    if world["bicep"] == "old":
        raise Refused("Error BCP407: the Bicep CLI is too old for these templates. Run az bicep upgrade")
    path = Path(one(flags, "--parameters", "-p"))
    deploy(world, path.name.removesuffix(".bicepparam"), variables(path, os.environ), one(flags, "--location", "-l"), one(flags, "--name", "-n"))


def variables(path, environment):
    """What a parameter file reads; one without default must be there."""
    if not path.is_file():
        raise Refused(f"there is no {path}")
    found = {}
    for name, default in re.findall(r"readEnvironmentVariable\('([A-Z_]+)'(, '[^']*')?\)", path.read_text()):
        if name not in environment and not default:
            raise Refused(f"Error BCP427: Environment variable {name!r} does not exist")
        found[name] = environment.get(name, default[3:-1])
    return found


def deploy(world, module, given, location, name):
    if world["region"] not in (None, location):
        raise Refused(f"(InvalidDeploymentLocation) {name} exists in {world['region']}")
    if os.environ.get("AZURE_ENV_NAME", "") not in name:
        raise Refused(f"{name} does not have the environment in its name: another environment's deployment would be in its way")
    world["region"] = location
    {"main": _main, "identity": _identity, "grants": _grants}[module](world, given)


def _main(world, given):
    group = given.get("AZURE_RESOURCE_GROUP") or f"rg-{given['AZURE_ENV_NAME']}"
    world["main"] = {**given, "group": group, "identity": identity(world, group, f"id-{given['AZURE_ENV_NAME']}")}


def _identity(world, given):
    subject = identity(world, f"rg-{given['AZURE_ENV_NAME']}", f"id-{given['AZURE_ENV_NAME']}")
    name = f"aiven-azure-peering-{given['INSTALLATION']}"
    made = world["applications"].setdefault(name, {"appId": fresh(world), "signInAudience": "AzureADMultipleOrgs", "credentials": []})
    for app in (made["appId"], "55f300d4-fc50-4c5e-9222-e90a6e2187fb"):
        world["principals"].setdefault(app, fresh(world))
    made["credentials"].append({
        "id": fresh(world), "name": f"{name}-{subject}", "subject": subject,
        "issuer": f"{LOGIN}/{world['tenant']}/v2.0", "audiences": [AUDIENCE],
    })


def _grants(world, given):
    for subscription in given["PEERING_SUBSCRIPTIONS"].split(","):
        if subscription not in world["subscriptions"]:
            raise Refused(f"(SubscriptionNotFound) The subscription '{subscription}' could not be found.")
    known = {one_ for group in world["groups"].values() for one_ in group.values()}
    if given["IDENTITY_PRINCIPAL_ID"] not in known or not {given["APPLICATION_PRINCIPAL_ID"], given["AIVEN_PRINCIPAL_ID"]} <= set(world["principals"].values()):
        raise Refused("(PrincipalNotFound) A principal does not exist in the directory.")
    world["grants"] = given


def in_main(world, flags):
    group = one(flags, "--resource-group", "-g")
    if world["main"] is None or world["main"]["group"] != group:
        raise Refused(f"(ResourceGroupNotFound) Resource group '{group}' could not be found.")
    return world["main"]


def listed(kind):
    def command(world, flags):
        in_main(world, flags)
        return [{"id": f"/providers/{kind}", "name": f"{kind}-{world['main']['AZURE_ENV_NAME']}"}]

    return command


def package(world, flags):
    in_main(world, flags)
    name = one(flags, "--name", "-n")
    if name != f"func-{world['main']['AZURE_ENV_NAME']}":
        raise Refused(f"(ResourceNotFound) There is no function app {name}.")
    if len(flags["--src"]) != 1 or not Path(one(flags, "--src")).is_file():
        raise Refused(f"no such file: {flags['--src']}")
    world["deployed"], world["timers"] = True, 1


def secret_set(world, flags):
    if world["main"] is None or one(flags, "--vault-name") != f"kv-{world['main']['AZURE_ENV_NAME']}":
        raise Refused(f"Failed to resolve '{one(flags, '--vault-name')}.vault.azure.net'")
    if (world["main"].get("SECRET_OFFICER_PRINCIPAL_IDS") or world["person"]) != world["person"]:
        raise Refused("(Forbidden) Caller is not authorized to perform action on resource. ForbiddenByRbac")
    world["token"] = {one(flags, "--name"): one(flags, "--value")}
    return {"value": one(flags, "--value")}


def restart(world, flags):
    in_main(world, flags)
    world["restarted"] += 1
    world["timers"] = world.get("after_restart", world["timers"])


COMMANDS = {
    "version": lambda world, _: {"azure-cli": world["az"]},
    "login": login,
    "bicep upgrade": lambda world, _: world.update(bicep="new"),
    "account show": account,
    "account set": account_set,
    "account list": lambda world, _: [{"id": key, "name": name} for key, name in world["subscriptions"].items()],
    "cloud show": lambda world, _: {"endpoints": {"microsoftGraphResourceId": "https://graph.microsoft.com/", "activeDirectory": LOGIN}},
    "identity show": identity_show,
    "identity create": identity_create,
    "group show": group_show,
    "group create": group_create,
    "rest": rest,
    "ad app federated-credential list": credentials,
    "ad app federated-credential create": credential_create,
    "ad app federated-credential update": credential_update,
    "ad sp show": principal_show,
    "ad sp create": principal_create,
    "deployment sub create": deployment,
    "functionapp list": listed("func"),
    "keyvault list": listed("kv"),
    "resource list": listed("appi"),
    "resource show": lambda world, _: {"properties": {"AppId": guid(9)}},
    "functionapp deployment source config-zip": package,
    "functionapp restart": restart,
    "keyvault secret set": secret_set,
}
