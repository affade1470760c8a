//! How long everything takes in the emulated clouds, in nominal time.

use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Every delay of the clouds, nominal: divided by the time scale when used.
#[derive(Clone, Debug)]
pub struct Lags {
    /// Until a new directory object is seen by every read and by the other services.
    pub graph_replication: Duration,
    /// Until it is seen by a read with the very key it was created by (an upsert's key).
    pub graph_same_key: Duration,
    /// Until a new federated credential is known to the token service.
    pub federated_credential: Duration,
    /// Until a new password is known to the token service.
    pub secret: Duration,
    /// Until a new role definition can be assigned.
    pub role_definition: Duration,
    /// Until a new role assignment counts.
    pub role_propagation: Duration,
    /// How long a network operation runs.
    pub arm_operation: Duration,
    /// APPROVED → PENDING_PEER (or a failure).
    pub aiven_build: Duration,
    /// Until the user application's principal in Aiven's tenant is known to the token service.
    pub aiven_principal: Duration,
    /// Until Aiven's grant to that principal on its network counts.
    pub aiven_grant: Duration,
    /// How often Aiven looks at a connection in PENDING_PEER or ACTIVE.
    pub aiven_poll: Duration,
    /// How soon a `refresh` makes it look.
    pub aiven_refresh: Duration,
    /// DELETING → DELETED.
    pub aiven_deleting: Duration,
    /// DELETED → gone from the list.
    pub aiven_deleted_lingers: Duration,
    /// A new VPC's APPROVED → ACTIVE.
    pub aiven_vpc_build: Duration,
    /// How long a deleted service keeps its VPC from being deleted.
    pub aiven_service_drains: Duration,
    /// Lifetime of a token that the token service mints.
    pub token_lifetime: Duration,
    /// Lifetime of a token of the managed-identity endpoint.
    pub identity_token_lifetime: Duration,
    /// Aiven's requests per nominal minute and user; none = unlimited.
    pub aiven_requests_per_minute: Option<u32>,
}

impl Lags {
    /// What the documentation and reports lead one to expect.
    pub fn documented() -> Self {
        Self {
            graph_replication: secs(20),
            graph_same_key: secs(2),
            federated_credential: secs(60),
            secret: secs(10),
            role_definition: secs(15),
            role_propagation: secs(90),
            arm_operation: secs(10),
            aiven_build: secs(120),
            aiven_principal: secs(15),
            aiven_grant: secs(30),
            aiven_poll: secs(180),
            aiven_refresh: secs(10),
            aiven_deleting: secs(30),
            aiven_deleted_lingers: secs(60),
            aiven_vpc_build: secs(120),
            aiven_service_drains: secs(300),
            token_lifetime: secs(3599),
            identity_token_lifetime: secs(86_399),
            aiven_requests_per_minute: Some(120),
        }
    }

    /// Nothing takes any time, nothing is rate-limited; tokens still expire.
    pub fn none() -> Self {
        let zero = Duration::ZERO;
        Self {
            graph_replication: zero,
            graph_same_key: zero,
            federated_credential: zero,
            secret: zero,
            role_definition: zero,
            role_propagation: zero,
            arm_operation: zero,
            aiven_build: zero,
            aiven_principal: zero,
            aiven_grant: zero,
            aiven_poll: zero,
            aiven_refresh: zero,
            aiven_deleting: zero,
            aiven_deleted_lingers: zero,
            aiven_vpc_build: zero,
            aiven_service_drains: zero,
            token_lifetime: secs(3599),
            identity_token_lifetime: secs(86_399),
            aiven_requests_per_minute: None,
        }
    }
}

impl Default for Lags {
    fn default() -> Self {
        Self::documented()
    }
}
