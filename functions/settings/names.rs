//! Every setting that the app reads, and who gives it: the list that the templates and the package are checked against.
//!
//! `infra/package` compiles this very file, so it stands alone. That nothing else is read is a test of `app.rs`.

/// Who gives a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// The deployment, always: an operator chooses it, or only the deployment knows it.
    ByDeployment,
    /// The deployment, where the default of the code does not suit: another cloud, roles that were made in another way.
    IfNeeded,
    /// The platform. Setting it would break what it is for.
    ByPlatform,
    /// A developer, on this machine. In Azure it would weaken the app.
    Locally,
}

/// Names, in order, and who gives each.
pub const NAMES: &[(&str, Given)] = &[
    ("AIVEN_API_URL", Given::IfNeeded),
    ("AIVEN_APPLICATION_ID", Given::IfNeeded),
    ("AIVEN_PRINCIPAL_ID", Given::ByDeployment),
    ("AIVEN_ROLE_ID", Given::IfNeeded),
    // In Azure the app reads the vault's secret itself: a rotation reaches no setting.
    ("AIVEN_TOKEN", Given::Locally),
    ("AIVEN_TOKEN_SECRET", Given::ByDeployment),
    ("ALLOWED_SUBSCRIPTIONS", Given::ByDeployment),
    ("ALLOWED_VPCS", Given::ByDeployment),
    ("APPLICATION_ID", Given::ByDeployment),
    ("APPLICATION_PRINCIPAL_ID", Given::ByDeployment),
    // The VNet that the app is integrated with, if it is to prove that services can be reached.
    ("APP_VNET", Given::IfNeeded),
    ("ARM_URL", Given::IfNeeded),
    ("AZURE_CLIENT_ID", Given::ByDeployment),
    ("AZURE_PRINCIPAL_ID", Given::ByDeployment),
    ("AZURE_TENANT_ID", Given::ByDeployment),
    // Holds a key, which a deployment has no use for.
    ("AzureWebJobsStorage", Given::Locally),
    ("AzureWebJobsStorage__accountName", Given::IfNeeded),
    ("AzureWebJobsStorage__clientId", Given::ByDeployment),
    ("AzureWebJobsStorage__credential", Given::ByDeployment),
    ("AzureWebJobsStorage__queueServiceUri", Given::IfNeeded),
    ("AzureWebJobsStorage__tableServiceUri", Given::IfNeeded),
    ("CREDENTIAL", Given::IfNeeded),
    ("DNS_SERVER", Given::Locally),
    ("ENTRA_URL", Given::IfNeeded),
    ("FUNCTIONS_CUSTOMHANDLER_PORT", Given::ByPlatform),
    ("GRAPH_URL", Given::IfNeeded),
    ("IDENTITY_ENDPOINT", Given::ByPlatform),
    ("IDENTITY_HEADER", Given::ByPlatform),
    ("INSTALLATION", Given::ByDeployment),
    // Where the application's secret is kept, if it is to have one: CREDENTIAL.
    ("KEY_VAULT_URL", Given::IfNeeded),
    ("LOG", Given::IfNeeded),
    ("PEERING_ROLE", Given::ByDeployment),
    ("PEERING_ROLE_ID", Given::IfNeeded),
    ("RECONCILE", Given::ByDeployment),
    ("SSL_CERT_FILE", Given::Locally),
    ("TIME_SCALE", Given::Locally),
];
