"""The app as Flex Consumption wants it, and what has to be so in every deployment."""

import json
import re

from compiler import TENANT


# Flex Consumption answers 51021 to these in siteConfig, or ignores them, by region.
REFUSED_SITE_CONFIG = {
    "alwaysOn", "ftpsState", "functionAppScaleLimit", "functionsRuntimeScaleMonitoringEnabled", "linuxFxVersion",
    "netFrameworkVersion", "preWarmedInstanceCount", "use32BitWorkerProcess",
}
REFUSED_SETTINGS = re.compile("FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|SCM_DO_BUILD.*|ENABLE_ORYX.*")
# What has to be so in every deployment: no keys, no old TLS, nothing public, nothing gone for good.
LOCKS = {
    "Microsoft.Storage/storageAccounts": {
        "allowSharedKeyAccess": False, "allowBlobPublicAccess": False, "allowCrossTenantReplication": False,
        "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True, "networkAcls.bypass": "AzureServices"},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"publicAccess": "None"},
    "Microsoft.KeyVault/vaults": {
        "enableRbacAuthorization": True, "enableSoftDelete": True, "enablePurgeProtection": True, "tenantId": TENANT},
    "Microsoft.KeyVault/vaults/secrets": {"contentType": "text/plain"},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.Web/sites": {"httpsOnly": True, "siteConfig.minTlsVersion": "1.2", "siteConfig.remoteDebuggingEnabled": None, "siteConfig.cors": None},
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"allow": False},
}
# What the sets of parameters have in the place of secrets.
SECRETS = ("check-aiven-token", "check-webhook-key", "check-setting-value")


def settings(snapshot):
    listed = snapshot.one("Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    return {one["name"]: one["value"] for one in listed}


def flex(snapshot):
    """The app, as Flex Consumption wants it."""
    if snapshot.template not in ("main", "app"):
        return
    properties, plan = snapshot.one("Microsoft.Web/sites")["properties"], snapshot.one("Microsoft.Web/serverfarms")
    config = properties.get("functionAppConfig", {})
    if config.get("runtime") != {"name": "custom", "version": "1.0"}:
        yield f"runtime is {config.get('runtime')}; Azure takes anything, and only custom 1.0 starts"
    storage = config.get("deployment", {}).get("storage", {})
    if storage.get("type") != "blobContainer" or storage.get("authentication", {}).get("type") != "UserAssignedIdentity":
        yield "the package is not fetched from a container with the identity"
    if set(config.get("scaleAndConcurrency", {})) != {"instanceMemoryMB", "maximumInstanceCount", "alwaysReady"}:
        yield "scaleAndConcurrency is not whole"
    for name in sorted(set(properties["siteConfig"]) & REFUSED_SITE_CONFIG):
        yield f"Flex Consumption refuses siteConfig.{name} (51021)"
    for name in settings(snapshot):
        if REFUSED_SETTINGS.fullmatch(name):
            yield f"Flex Consumption refuses setting {name}"
    if plan["sku"] != {"name": "FC1", "tier": "FlexConsumption"} or plan["properties"].get("reserved") is not True:
        yield "the plan is not Flex Consumption on Linux"
    vault = snapshot.one("Microsoft.KeyVault/vaults")
    token = f"[format('{{0}}secrets/{{1}}', reference('{vault['id']}', '{vault['apiVersion']}').vaultUri, 'aiven-token')]"
    if settings(snapshot).get("AIVEN_TOKEN_SECRET") != token:
        yield f"AIVEN_TOKEN_SECRET is {settings(snapshot).get('AIVEN_TOKEN_SECRET')}, not the secret of the vault"
    for name, value in settings(snapshot).items():
        if name == "AIVEN_TOKEN" or "@Microsoft.KeyVault" in value:
            yield f"setting {name} is a token, or is resolved once a day only"
    subnet = properties.get("virtualNetworkSubnetId") or ""
    if settings(snapshot)["APP_VNET"] != "/".join(subnet.split("/")[:9]):
        yield f"APP_VNET is {settings(snapshot)['APP_VNET']!r}, and the subnet {subnet!r}"


def locks(snapshot):
    """Table LOCKS."""
    for type_, properties in LOCKS.items():
        for one in snapshot.of_type(type_):
            for name, wanted in properties.items():
                value = one["properties"]
                for part in name.split("."):
                    value = value.get(part) if isinstance(value, dict) else None
                if value != wanted or type(value) is not type(wanted):
                    yield f"{type_}: {name} is {value!r}, not {wanted!r}"


def secrets(snapshot):
    """No secret is in an output, nor anywhere in what is predicted: secure parameters stay parameters."""
    text = json.dumps(snapshot.outputs)
    for found in re.findall(r"listKeys|listSecrets|parameters\('[^']+'\)|\.primaryKey|accountKey", text, re.IGNORECASE):
        yield f"an output has {found}"
    everything = text + json.dumps(snapshot.resources)
    for secret in SECRETS:
        if secret in everything:
            yield f"{secret} is in clear text in the prediction, so its parameter is not secure"
    for one in snapshot.of_type("Microsoft.KeyVault/vaults/secrets"):
        if one["properties"]["value"] != "[parameters('aivenToken')]" and not one["properties"]["value"].startswith("[parameters("):
            yield "the secret of the vault is not the parameter's"
