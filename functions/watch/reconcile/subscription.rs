//! What a subscription's peerings share: its custom roles, and the assignments of both principals on its VNets. Three calls of ARM, and
//! one more for each application of a sender's.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::installation::Principals;
use super::{Seen, by_hand, is_settled, record};
use crate::clock::Clock;
use crate::cloud::arm::{RoleAssignment, RoleDefinition};
use crate::cloud::{Failure, Service};
use crate::context::Context;
use crate::create::roles::{
    AIVEN_ASSIGNMENT, Role, assign_command, assignment_part, last_segment, senders_application,
};
use crate::create::{admit_aiven, authorize_application, create_service_principal, define_aiven_role};
use crate::engine::{Engine, RunError};
use crate::peering::{Drift, ObjectId, SubscriptionId, VnetId};
use crate::settings::PeeringRole;
use crate::state::{Scope, SharedRow};

/// The VNets that have peerings, by subscription.
pub async fn used(engine: &Engine) -> Result<BTreeMap<SubscriptionId, Vec<(VnetId, SharedRow)>>, RunError> {
    let mut used = BTreeMap::<_, Vec<_>>::new();
    for (id, row) in engine.shared.vnets().await?.into_iter().filter(|(_, row)| !row.users.is_empty()) {
        used.entry(id.subscription).or_default().push((id, row));
    }
    Ok(used)
}

/// Looks, and records.
pub async fn look(
    engine: &Engine,
    context: &Context,
    principals: &Principals,
    id: SubscriptionId,
    vnets: Vec<(VnetId, SharedRow)>,
) -> Result<(), RunError> {
    let held = engine.shared.load(&Scope::Subscription(id)).await?;
    let roles = Roles::wanted(context, &held.value, id, &*engine.clock);
    let found = match read(context, &whose(principals, &vnets), id, &roles).await {
        Ok(found) => found,
        Err(failure) => return Ok(engine.unanswered(&failure).await?),
    };
    engine.close_cause_of(Service::ManagedIdentity).await?;
    let judge = Judge { roles: &roles, principals, found: &found, clock: &*engine.clock };
    record(engine, &Scope::Subscription(id), held, &judge.roles()).await?;
    for (vnet, row) in vnets {
        let seen = judge.assignments(&vnet, &row);
        if seen.values().any(Option::is_some) || !row.drift.is_empty() {
            let scope = Scope::Vnet(vnet);
            let held = engine.shared.load(&scope).await?;
            record(engine, &scope, held, &seen).await?;
        }
    }
    Ok(())
}

/// Whose assignments there are to be.
fn whose(principals: &Principals, vnets: &[(VnetId, SharedRow)]) -> BTreeSet<ObjectId> {
    let parts = vnets.iter().flat_map(|(_, row)| row.parts.keys());
    let senders = parts.filter_map(|part| principals.senders.get(&senders_application(part)?).copied());
    senders.chain(principals.ours).chain(principals.aivens).collect()
}

/// What ARM says of a subscription.
struct Found {
    definitions: Vec<RoleDefinition>,
    assignments: BTreeMap<ObjectId, Vec<RoleAssignment>>,
}

/// A role that is missing from the list is asked for by itself before it counts as gone: it may be a built-in one.
async fn read(
    context: &Context,
    principals: &BTreeSet<ObjectId>,
    id: SubscriptionId,
    roles: &Roles<'_>,
) -> Result<Found, Failure> {
    let arm = &context.clouds.arm;
    let mut definitions = arm.role_definitions(id).await?;
    for wanted in roles.0.iter().map(|wanted| wanted.id) {
        if !definitions.iter().any(|found| found.name == wanted) {
            definitions.extend(arm.role_definition(id, wanted).await?);
        }
    }
    let mut assignments = BTreeMap::new();
    for principal in principals {
        assignments.insert(*principal, arm.assignments_of(id, *principal).await?);
    }
    Ok(Found { definitions, assignments })
}

/// A role that is to be there.
struct Wanted<'a> {
    part: &'static str,
    id: Uuid,
    /// As we define it.
    ours: Role<'a>,
    /// The step that defines it.
    step: &'static str,
}

/// The roles that are to be there: the deployment's, or what the subscription's row says.
struct Roles<'a>(Vec<Wanted<'a>>);

impl<'a> Roles<'a> {
    fn wanted(context: &'a Context, row: &SharedRow, id: SubscriptionId, clock: &dyn Clock) -> Self {
        let known = |part: &str| {
            let part = row.parts.get(part).filter(|part| is_settled(part, clock))?;
            part.value.as_ref()?.as_str().map(last_segment)
        };
        let made = context.settings.made;
        let own = context.settings.peering_role == PeeringRole::Minimal;
        let peering = authorize_application::given_role(&context.settings).or(known(authorize_application::ROLE));
        let peering = peering.filter(|_| own).map(|id_of_role| Wanted {
            part: authorize_application::ROLE,
            id: id_of_role,
            ours: authorize_application::role(context, id),
            step: authorize_application::STEP,
        });
        let aivens = made.aiven_role.or(known(define_aiven_role::ROLE)).map(|id_of_role| Wanted {
            part: define_aiven_role::ROLE,
            id: id_of_role,
            ours: define_aiven_role::role(context, id),
            step: define_aiven_role::STEP,
        });
        Self(peering.into_iter().chain(aivens).collect())
    }

    fn id(&self, part: &str) -> Option<Uuid> {
        self.0.iter().find(|wanted| wanted.part == part).map(|wanted| wanted.id)
    }
}

/// Compares. Pure.
struct Judge<'a> {
    roles: &'a Roles<'a>,
    principals: &'a Principals,
    found: &'a Found,
    clock: &'a dyn Clock,
}

impl Judge<'_> {
    fn roles(&self) -> Seen {
        let judged = |wanted: &Wanted<'_>| {
            let found = self.found.definitions.iter().find(|found| found.name == wanted.id);
            (wanted.part.to_owned(), self.role(wanted, found))
        };
        self.roles.0.iter().map(judged).collect()
    }

    fn role(&self, wanted: &Wanted<'_>, found: Option<&RoleDefinition>) -> Option<Drift> {
        let retry = "send action \"retry\" for a peering of the subscription";
        let Some(found) = found else {
            let what = format!(
                "role {} of subscription {} is gone, and its assignments with it",
                wanted.id, wanted.ours.subscription
            );
            let kind = format!("{}_gone", wanted.part);
            return Some(by_hand(
                &kind,
                wanted.step,
                what,
                format!("to have it made again, {retry}"),
                self.clock.now(),
            ));
        };
        // One that is not ours allows what its owner wants.
        if found.name != wanted.ours.id() || wanted.ours.is_as_it_should_be(found) {
            return None;
        }
        let (now, ours) = (found.actions.join(", "), wanted.ours.actions.join(", "));
        let what = format!("role {:?} ({}) allows {now}; it should allow {ours}", found.role_name, found.name);
        let kind = format!("{}_changed", wanted.part);
        Some(by_hand(&kind, wanted.step, what, format!("to have it put back, {retry}"), self.clock.now()))
    }

    /// The assignments of the applications that peer the VNet, and Aiven's.
    fn assignments(&self, vnet: &VnetId, row: &SharedRow) -> Seen {
        let mut seen = Seen::new();
        for (name, part) in row.parts.iter().filter(|(_, part)| is_settled(part, self.clock)) {
            let Some((principal, role)) = self.holder(name) else { continue };
            let Some(found) = self.found.assignments.get(&principal) else { continue };
            let known = part.value.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
            let role = self.roles.id(role);
            let does = |a: &&RoleAssignment| {
                a.id.eq_ignore_ascii_case(known) || (a.role == role && role.is_some() && a.covers(&vnet.to_string()))
            };
            let drift = found.iter().find(does).is_none().then(|| self.unassigned(vnet, name, principal, role));
            seen.insert(name.clone(), drift);
        }
        seen
    }

    /// Who is to have the role of a part, and which part of the subscription's row that role is.
    fn holder(&self, part: &str) -> Option<(ObjectId, &'static str)> {
        if part == AIVEN_ASSIGNMENT {
            return Some((self.principals.aivens?, define_aiven_role::ROLE));
        }
        let ours = self.principals.ours.filter(|_| part == assignment_part(None));
        let senders = || self.principals.senders.get(&senders_application(part)?).copied();
        Some((ours.or_else(senders)?, authorize_application::ROLE))
    }

    /// The way back begins where the principal is looked up: one that was made anew has another id, and none of the roles of old.
    fn unassigned(&self, vnet: &VnetId, part: &str, principal: ObjectId, role: Option<Uuid>) -> Drift {
        let (kind, whose, step) = match senders_application(part) {
            _ if part == AIVEN_ASSIGNMENT => ("aiven_assignment_gone", "Aiven".to_owned(), admit_aiven::STEP),
            Some(app) => ("application_assignment_gone", format!("application {app}"), create_service_principal::STEP),
            None => ("application_assignment_gone", "our application".to_owned(), create_service_principal::STEP),
        };
        let what = format!("the role that lets {whose} peer VNet {vnet} is no longer assigned");
        let retry = "send action \"retry\" for the peering";
        let command = match role {
            Some(role) => format!(
                "{}; or, to have it assigned again, {retry}",
                assign_command(vnet, principal, &role.to_string())
            ),
            None => format!("to have it assigned again, {retry}"),
        };
        by_hand(kind, step, what, command, self.clock.now())
    }
}
