//! What can be made to go wrong in the clouds' own doings, beside faults of single calls.

use super::World;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Whose new role assignments in the home tenant never take effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stalled {
    /// Nobody's.
    #[default]
    Nobody,
    /// Those of Aiven's service principal.
    Aiven,
    /// Those of everybody but Aiven: of the user's application, that is.
    OwnApplication,
    /// All.
    Everybody,
}

/// What the tenant's application management policy says of passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// None at all.
    Forbidden,
    /// None that lives longer than so many days.
    LongestDays(u32),
}

/// Standing orders for trouble; each is used up by what it strikes, unless said otherwise.
#[derive(Clone, Debug, Default)]
pub struct Upsets {
    /// States that the next connections end in instead of PENDING_PEER.
    pub refuse_connections: VecDeque<String>,
    /// The next POSTs of connections are answered with this status, `error_code` and text.
    pub refuse_creations: VecDeque<(u16, String, String)>,
    /// Whether a new VPC's range may not overlap the owner's others in the same cloud. No source says that it may not.
    pub refuse_overlapping_vpcs: bool,
    /// After this nominal time in PENDING_PEER `state_info` is null. Stands until cleared.
    pub forget_state_info_after: Option<Duration>,
    /// `state_info` of PENDING_PEER is shown to one GET and null ever after. Stands until cleared.
    pub forget_state_info_once_shown: bool,
    /// The next connection that is built shows this state first, for this nominal time.
    pub unknown_state: Option<(String, Duration)>,
    /// The next network operations end as failed, inside a 200: code and message.
    pub fail_operations: VecDeque<(String, String)>,
    /// Whose role assignments do not propagate. Stands until [`World::resume_propagation`].
    pub stalled: Stalled,
    /// Answers 403 to this many polls of operations.
    pub forbid_polls: usize,
    /// The tenant's policy on passwords of applications. Stands until cleared.
    pub password_policy: Option<PasswordPolicy>,
    /// Whether Aiven serves `/organization/{org}/vpc/{id}`. The other dialect stays.
    pub no_singular_routes: bool,
    /// Whether Aiven serves `/organization/{org}/vpcs/{id}`. The other dialect stays.
    pub no_plural_routes: bool,
}

impl World {
    /// The next `n` Aiven connections end in `state` (`REJECTED_BY_PEER`, `INVALID_SPECIFICATION`).
    pub fn refuse_connections(&mut self, n: usize, state: &str) {
        self.upsets.refuse_connections.extend(std::iter::repeat_n(state.to_owned(), n));
    }

    /// The next POST of a connection is refused as a customer of Managed Service for TimescaleDB would be. The code is
    /// in Aiven's published list; which calls it refuses, its status and its text are guesses.
    pub fn refuse_timescale_user(&mut self) {
        let text = "This action is not available to users of Managed Service for TimescaleDB";
        let code = "action_forbidden_for_timescale_users".to_owned();
        self.upsets.refuse_creations.push_back((403, code, text.to_owned()));
    }

    /// The next POST of a connection is refused because the tenants do not match. The code is in Aiven's published
    /// list; which calls it refuses, its status and its text are guesses.
    pub fn refuse_tenant(&mut self) {
        let text = "The user's tenant does not match the tenant of the project";
        self.upsets.refuse_creations.push_back((403, "tenant_mismatch".to_owned(), text.to_owned()));
    }

    /// The next network operation answers 200 with `Failed` in its body.
    pub fn fail_next_operation(&mut self, code: &str, message: &str) {
        self.upsets.fail_operations.push_back((code.to_owned(), message.to_owned()));
    }

    /// Keeps a network `Updating` for a nominal time.
    pub fn keep_updating(&mut self, vnet: &str, nominal: Duration) {
        let until = self.due_in(nominal);
        if let Some(vnet) = self.vnet_mut(vnet) {
            vnet.updating_until = Some(until);
        }
    }

    /// A principal's role assignments do not count, neither present nor coming ones.
    pub fn never_propagate(&mut self, principal: &str) {
        self.never_propagating.insert(principal.to_ascii_lowercase());
        for assignment in &mut self.role_assignments {
            if assignment.principal_id.eq_ignore_ascii_case(principal) {
                assignment.effective_at = None;
            }
        }
    }

    /// New role assignments of these never count, whoever they will be for: the principals need not exist yet.
    pub fn stall_propagation(&mut self, stalled: Stalled) {
        self.upsets.stalled = stalled;
    }

    /// Assignments propagate again, and those that were held back count at once.
    pub fn resume_propagation(&mut self) {
        let now = self.now();
        self.upsets.stalled = Stalled::Nobody;
        self.never_propagating.clear();
        for assignment in &mut self.role_assignments {
            assignment.effective_at.get_or_insert(now);
        }
    }

    /// When a role assignment that is made now will count.
    pub(crate) fn effective_at(&self, principal: &str) -> Option<Timestamp> {
        let aiven = self.service_principal(&self.home_tenant, &self.aiven_application);
        let is_aiven = aiven.is_some_and(|p| p.id.eq_ignore_ascii_case(principal));
        let stalled = match self.upsets.stalled {
            Stalled::Nobody => false,
            Stalled::Aiven => is_aiven,
            Stalled::OwnApplication => !is_aiven,
            Stalled::Everybody => true,
        };
        if stalled || self.never_propagating.contains(&principal.to_ascii_lowercase()) {
            return None;
        }
        Some(self.due_in(self.lags.role_propagation))
    }

    /// A principal's role assignments count at once, and its coming ones as usual.
    pub fn propagate_now(&mut self, principal: &str) {
        let now = self.now();
        self.never_propagating.remove(&principal.to_ascii_lowercase());
        for assignment in &mut self.role_assignments {
            if assignment.principal_id.eq_ignore_ascii_case(principal) {
                assignment.effective_at = Some(now);
            }
        }
    }
}
