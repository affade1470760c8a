//! The cloud's self-description, as `az cloud register` reads it.

use crate::clouds::http::Reply;
use crate::clouds::world::World;
use serde_json::json;

pub(super) fn endpoints(world: &World) -> Reply {
    let urls = &world.urls;
    Reply::ok(json!({
        "name": "Emulated", "portal": urls.arm, "gallery": urls.arm, "graph": urls.graph,
        "graphAudience": format!("{}/", urls.graph), "microsoftGraphResourceId": format!("{}/", urls.graph),
        "resourceManager": format!("{}/", urls.arm), "batch": urls.arm, "media": urls.arm, "sqlManagement": urls.arm,
        "vmImageAliasDoc": format!("{}/aliases.json", urls.arm),
        "activeDirectoryDataLake": urls.arm, "logAnalyticsResourceId": urls.arm,
        "authentication": {
            "loginEndpoint": urls.entra, "audiences": [format!("{}/", urls.arm), "https://management.azure.com/"],
            "tenant": "common", "identityProvider": "AAD"
        },
        "suffixes": {
            "storage": "core.windows.net", "keyVaultDns": "vault.azure.net", "sqlServerHostname": "database.windows.net",
            "acrLoginServer": "azurecr.io"
        }
    }))
}
