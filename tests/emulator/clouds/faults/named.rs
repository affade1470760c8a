//! The common faults by name, for tests that read well and for the demo's `--fault NAME`.

use super::Fault;
use crate::clouds::calls::Service;
use crate::clouds::world::{Stalled, World};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

impl Fault {
    /// Names that [`Fault::by_name`] knows, each with a line that says what goes wrong.
    pub const NAMES: &'static [(&'static str, &'static str)] = &[
        ("role-slow", "role assignments take ten minutes to count instead of a minute and a half"),
        ("role-never", "role assignments of the user's application never count, until somebody mends it"),
        ("aiven-role-never", "role assignments of Aiven's principal never count, until somebody mends it"),
        ("graph-slow", "every new directory object takes two minutes to be seen"),
        ("principal-not-found", "the first two role assignments answer 400 PrincipalNotFound"),
        ("role-definition-not-found", "the first two role assignments answer 404 RoleDefinitionDoesNotExist"),
        ("assignment-cut", "the connection breaks after the first role assignment is made"),
        ("application-cut", "the connection breaks after the application is made"),
        ("principal-cut", "the connection breaks after the first service principal is made"),
        ("credential-cut", "the connection breaks after the federated credential is made"),
        ("password-cut", "the connection breaks after a password is made (only with CREDENTIAL=secret)"),
        ("vault-cut", "the connection breaks after a secret is written (only with CREDENTIAL=secret)"),
        ("definition-cut", "the connection breaks after the first role definition is made"),
        ("aiven-connection-cut", "the connection breaks after Aiven's peering connection is made"),
        ("peering-cut", "the connection breaks after the Azure peering is made"),
        ("operation-fails", "the first network operation fails inside an HTTP 200"),
        ("operation-forbidden", "polls of the first operations answer 403"),
        ("another-operation", "the first two writes of a peering answer 429 AnotherOperationInProgress"),
        ("network-updating", "networks are Updating for two minutes (ReferencedResourceNotProvisioned)"),
        ("throttled", "each service answers 429 three times, with Retry-After"),
        ("throttled-silently", "each service answers 429 three times, without Retry-After"),
        ("server-errors", "each service answers 503 twice"),
        ("aiven-rejects-once", "Aiven's first connection ends REJECTED_BY_PEER"),
        ("aiven-rejects-twice", "Aiven's first two connections end REJECTED_BY_PEER"),
        ("aiven-invalid-once", "Aiven's first connection ends INVALID_SPECIFICATION"),
        ("state-info-gone", "Aiven shows the state_info of PENDING_PEER once only"),
        ("unknown-state", "Aiven shows an unheard-of state for two minutes"),
        ("aiven-token-expired", "Aiven's token is refused for five minutes"),
        ("aiven-plural-only", "Aiven serves only the older path dialect"),
        ("graph-right-missing", "the app may make its own applications only, not admit Aiven's"),
        ("aiven-principal-disabled", "Aiven's service principal, once there, may not sign in for five minutes"),
        ("slow-answers", "every ARM call takes five seconds"),
    ];

    /// The faults of a name; none when the name is unknown.
    pub fn by_name(name: &str) -> Option<Vec<Fault>> {
        let cloud = [Service::Aiven, Service::Entra, Service::Graph, Service::Arm, Service::Identity];
        Some(match name {
            "role-slow" => vec![Fault::world(|w| w.lags.role_propagation = 10 * MINUTE)],
            "role-never" => vec![Fault::world(|w| w.stall_propagation(Stalled::OwnApplication))],
            "aiven-role-never" => vec![Fault::world(|w| w.stall_propagation(Stalled::Aiven))],
            "graph-slow" => vec![Fault::graph_slow(2 * MINUTE)],
            "principal-not-found" => vec![Fault::principal_not_found().times(2)],
            "role-definition-not-found" => vec![Fault::role_definition_not_found().times(2)],
            "assignment-cut" => vec![Fault::cut_after().making_assignment()],
            "application-cut" => vec![Fault::cut_after().making_application()],
            "principal-cut" => vec![Fault::cut_after().making_principal()],
            "credential-cut" => vec![Fault::cut_after().making_credential()],
            "password-cut" => vec![Fault::cut_after().making_password()],
            "vault-cut" => vec![Fault::cut_after().writing_secret()],
            "definition-cut" => vec![Fault::cut_after().making_definition()],
            "aiven-connection-cut" => vec![Fault::cut_after().making_connection()],
            "peering-cut" => vec![Fault::cut_after().making_peering()],
            "operation-fails" => vec![Fault::operation_fails()],
            "operation-forbidden" => vec![Fault::world(|w| w.upsets.forbid_polls = 3)],
            "another-operation" => vec![Fault::another_operation().times(2)],
            "network-updating" => vec![Fault::networks_updating(2 * MINUTE)],
            "throttled" => cloud.map(|s| Fault::throttle(s, Some(5)).times(3)).into(),
            "throttled-silently" => cloud.map(|s| Fault::throttle(s, None).times(3)).into(),
            "server-errors" => cloud.map(|s| Fault::unavailable(s).times(2)).into(),
            "aiven-rejects-once" => vec![Fault::world(|w| w.refuse_connections(1, "REJECTED_BY_PEER"))],
            "aiven-rejects-twice" => vec![Fault::world(|w| w.refuse_connections(2, "REJECTED_BY_PEER"))],
            "aiven-invalid-once" => vec![Fault::world(|w| w.refuse_connections(1, "INVALID_SPECIFICATION"))],
            "state-info-gone" => vec![Fault::world(|w| w.upsets.forget_state_info_once_shown = true)],
            "unknown-state" => vec![Fault::unknown_state("AWAITING_STARS", 2 * MINUTE)],
            "aiven-token-expired" => vec![Fault::aiven_token_expired(5 * MINUTE)],
            "aiven-plural-only" => vec![Fault::world(|w| w.upsets.no_singular_routes = true)],
            "graph-right-missing" => vec![Fault::graph_right_missing()],
            "aiven-principal-disabled" => vec![Fault::aiven_principal_disabled(5 * MINUTE)],
            "slow-answers" => vec![Fault::delay(Duration::from_secs(5)).on(Service::Arm).always()],
            _ => return None,
        })
    }

    /// Strikes the making of an application.
    pub fn making_application(self) -> Self {
        self.on(Service::Graph)
            .method("POST")
            .method("PATCH")
            .path("/applications")
            .without("federatedIdentityCredentials")
            .created_only()
    }

    /// Strikes the making of a service principal.
    pub fn making_principal(self) -> Self {
        self.on(Service::Graph).method("POST").method("PATCH").path("/servicePrincipals").created_only()
    }

    /// Strikes the making of a federated credential.
    pub fn making_credential(self) -> Self {
        self.on(Service::Graph).method("POST").method("PATCH").path("/federatedIdentityCredentials").created_only()
    }

    /// Strikes the making of a password of an application.
    pub fn making_password(self) -> Self {
        self.on(Service::Graph).method("POST").path("/addPassword")
    }

    /// Strikes the writing of a secret into the vault.
    pub fn writing_secret(self) -> Self {
        self.on(Service::KeyVault).method("PUT").path("/secrets/")
    }

    /// Strikes the making of a role definition.
    pub fn making_definition(self) -> Self {
        self.on(Service::Arm).method("PUT").path("/roleDefinitions/").created_only()
    }

    /// Strikes the making of a role assignment.
    pub fn making_assignment(self) -> Self {
        self.on(Service::Arm).method("PUT").path("/roleAssignments/").created_only()
    }

    /// Strikes the making of an Aiven peering connection.
    pub fn making_connection(self) -> Self {
        self.on(Service::Aiven).method("POST").path("/peering-connections").without("refresh").created_only()
    }

    /// Strikes the making of an Azure peering.
    pub fn making_peering(self) -> Self {
        self.on(Service::Arm).method("PUT").path("/virtualNetworkPeerings/").created_only()
    }

    /// A service is not there: 503.
    pub fn unavailable(service: Service) -> Self {
        Self::refuse(service, 503, "ServiceUnavailable", "The service is unavailable. Try again later.")
    }

    /// A new directory object takes this nominal time to be seen.
    pub fn graph_slow(nominal: Duration) -> Self {
        Self::world(move |w| {
            w.lags.graph_replication = nominal;
            w.lags.graph_same_key = nominal;
        })
    }

    /// Role assignments answer 400 PrincipalNotFound.
    pub fn principal_not_found() -> Self {
        let text = "Principal 00000000000000000000000000000000 does not exist in the directory. Check that you have the \
                    correct principal ID.";
        Self::refuse(Service::Arm, 400, "PrincipalNotFound", text).method("PUT").path("/roleAssignments/")
    }

    /// Role assignments answer 404 RoleDefinitionDoesNotExist.
    pub fn role_definition_not_found() -> Self {
        let text = "The specified role definition with ID '' does not exist.";
        Self::refuse(Service::Arm, 404, "RoleDefinitionDoesNotExist", text).method("PUT").path("/roleAssignments/")
    }

    /// The next network operation fails inside a 200.
    pub fn operation_fails() -> Self {
        Self::world(|w| w.fail_next_operation("InternalServerError", "An error occurred."))
    }

    /// Writes of peerings answer 429 AnotherOperationInProgress.
    pub fn another_operation() -> Self {
        let text = "Another operation on this or dependent resource is in progress.";
        Self::refuse(Service::Arm, 429, "AnotherOperationInProgress", text)
            .method("PUT")
            .path("/virtualNetworkPeerings/")
    }

    /// All networks that exist are `Updating` for a nominal time.
    pub fn networks_updating(nominal: Duration) -> Self {
        Self::world(move |w| {
            let ids: Vec<String> = w.vnets.iter().map(|v| v.id.clone()).collect();
            for id in ids {
                w.keep_updating(&id, nominal);
            }
        })
    }

    /// The next connection that Aiven builds shows this state first.
    pub fn unknown_state(state: &str, nominal: Duration) -> Self {
        let state = state.to_owned();
        Self::world(move |w| w.upsets.unknown_state = Some((state.clone(), nominal)))
    }

    /// Aiven's token is refused for a nominal time.
    pub fn aiven_token_expired(nominal: Duration) -> Self {
        Self::world(move |w| {
            w.expire_aiven_token();
            w.after(nominal, |w| w.restore_aiven_token());
        })
    }

    /// The app's managed identity has `Application.ReadWrite.OwnedBy` and reading instead of `ReadWrite.All`.
    pub fn graph_right_missing() -> Self {
        Self::world(|w| {
            let identity = w.identity_principal_id.clone();
            w.revoke_graph(&identity, "Application.ReadWrite.All");
            w.grant_graph(&identity, "Application.ReadWrite.OwnedBy");
            w.grant_graph(&identity, "Application.Read.All");
        })
    }

    /// Aiven's service principal in the home tenant, present or yet to come, is disabled for a nominal time.
    pub fn aiven_principal_disabled(nominal: Duration) -> Self {
        Self::world(move |w| {
            let (home, aiven) = (w.home_tenant.clone(), w.aiven_application.clone());
            if w.service_principal(&home, &aiven).is_none() {
                w.add_service_principal(&home, &aiven);
            }
            set_enabled(w, false);
            w.after(nominal, |w| set_enabled(w, true));
        })
    }
}

fn set_enabled(world: &mut World, enabled: bool) {
    let (home, aiven) = (world.home_tenant.clone(), world.aiven_application.clone());
    for principal in &mut world.service_principals {
        if principal.tenant == home && principal.app_id == aiven {
            principal.enabled = enabled;
        }
    }
}
