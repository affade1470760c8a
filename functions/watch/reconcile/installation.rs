//! What all peerings share: the application with its credential, its principal, and Aiven's. Three calls of Graph.
//!
//! Where the app was given no right to read the directory, nothing is seen of it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tracing::debug;

use super::{Seen, application_gone, by_hand, is_settled, record, secret};
use crate::cloud::Failure;
use crate::context::Context;
use crate::create::add_credential::federated;
use crate::create::{add_credential, admit_aiven, create_service_principal, register_application};
use crate::engine::{Engine, Fix, RunError, Stop};
use crate::peering::{AppId, Drift, ObjectId};
use crate::settings::Credential;
use crate::state::{Scope, SharedRow};

/// The principals that have roles.
#[derive(Debug, Clone)]
pub struct Principals {
    /// Our application's.
    pub ours: Option<ObjectId>,
    /// Aiven's.
    pub aivens: Option<ObjectId>,
    /// Those of applications that senders named, as last seen.
    pub senders: BTreeMap<AppId, ObjectId>,
}

/// Looks, records, and returns whose roles are to be looked at.
pub async fn look(engine: &Engine, context: &Context) -> Result<Principals, RunError> {
    let held = engine.shared.load(&Scope::Installation).await?;
    let made = context.settings.made;
    let app = made.application.or(value(&held.value, register_application::PART));
    let look = Look { engine, context, row: held.value.clone() };
    let mut principals = Principals { ours: made.principal, aivens: None, senders: senders(&held.value) };
    let mut seen = Seen::new();
    if let Some(app) = app {
        match context.settings.credential {
            Credential::Federated => look.credential(app, &mut seen).await?,
            Credential::Secret => look.passwords(&mut seen).await?,
        }
        let part = create_service_principal::part(app);
        principals.ours = look.principal(app, &part, made.principal, &mut seen).await?;
        principals.senders.extend(principals.ours.map(|ours| (app, ours)));
    }
    let aivens = context.settings.aiven_application;
    principals.aivens = look.principal(aivens, admit_aiven::PART, made.aiven_principal, &mut seen).await?;
    record(engine, &Scope::Installation, held, &seen).await?;
    Ok(principals)
}

/// The principals of applications that the installation's row knows.
fn senders(row: &SharedRow) -> BTreeMap<AppId, ObjectId> {
    let known = |(part, _): (&String, _)| Some((create_service_principal::application_of(part)?, value(row, part)?));
    row.parts.iter().filter_map(known).collect()
}

fn value<T: DeserializeOwned>(row: &SharedRow, part: &str) -> Option<T> {
    serde_json::from_value(row.parts.get(part)?.value.clone()?).ok()
}

struct Look<'a> {
    engine: &'a Engine,
    context: &'a Context,
    row: SharedRow,
}

impl Look<'_> {
    fn is_settled(&self, part: &str) -> bool {
        self.row.parts.get(part).is_some_and(|part| is_settled(part, &*self.engine.clock))
    }

    async fn credential(&self, app: AppId, seen: &mut Seen) -> Result<(), RunError> {
        let part = federated::part(app);
        if !self.is_settled(&part) && self.context.settings.made.application != Some(app) {
            return Ok(());
        }
        let wanted = federated::wanted(self.context);
        let drift = match self.context.clouds.graph.federated_credentials(app).await {
            Ok(all) if all.iter().any(|found| federated::is_same(found, &wanted)) => None,
            Ok(_) => Some(self.gone("credential_gone", add_credential::STEP, {
                let what = format!("the federated credential that lets this app sign in as application {app} is gone");
                (what, federated::command(self.context, app))
            })),
            Err(failure) if failure.is_not_found() => Some(application_gone(app, self.engine.clock.now())),
            Err(failure) => return self.no_answer(&failure).await,
        };
        seen.insert(part, drift);
        Ok(())
    }

    async fn passwords(&self, seen: &mut Seen) -> Result<(), RunError> {
        match secret::check(self.context, &self.row, &self.engine.clock).await {
            Ok(of_passwords) => seen.extend(of_passwords),
            Err(Stop::Failed(failure)) => self.no_answer(&failure).await?,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(stop) => debug!("nothing is known of the passwords: {stop:?}"),
        }
        Ok(())
    }

    /// Looks at a principal. Returns the one whose roles count: what the settings name, or else what the directory has.
    async fn principal(
        &self,
        app: AppId,
        part: &str,
        made: Option<ObjectId>,
        seen: &mut Seen,
    ) -> Result<Option<ObjectId>, RunError> {
        let known = made.or(value(&self.row, part));
        if made.is_none() && !self.is_settled(part) {
            return Ok(known);
        }
        let found = match self.context.clouds.graph.service_principal(app).await {
            Ok(found) => found,
            Err(failure) => {
                self.no_answer(&failure).await?;
                return Ok(known);
            }
        };
        let (found, enabled) = (found.as_ref().map(|found| found.id), found.is_some_and(|found| found.enabled));
        let drift = match found {
            None => Some(self.principal_gone(app)),
            Some(_) if !enabled => {
                let Fix { what, command, code, .. } = create_service_principal::disabled(app);
                Some(self.gone(&code, create_service_principal::STEP, (what, command)))
            }
            Some(found) if known.is_some_and(|known| known != found) => {
                Some(self.principal_replaced(app, found, made.is_some()))
            }
            Some(_) => None,
        };
        seen.insert(part.to_owned(), drift);
        Ok(made.or(found).or(known))
    }

    fn principal_gone(&self, app: AppId) -> Drift {
        let what = format!("the service principal of application {app} is gone from our tenant, and its roles with it");
        let command = "restore it among the deleted ones in the Entra portal, which keeps its roles; or";
        let command = format!("{command}: az ad sp create --id {app} (an Application Administrator)");
        self.gone("principal_gone", create_service_principal::STEP, (what, command))
    }

    /// One made anew has another id, and none of the roles of the one before, though ARM may go on listing those.
    fn principal_replaced(&self, app: AppId, found: ObjectId, is_named: bool) -> Drift {
        let what = format!("the service principal of application {app} was made anew, as {found}, without its roles");
        let setting = match app == self.context.settings.aiven_application {
            true => "AIVEN_PRINCIPAL_ID",
            false => "APPLICATION_PRINCIPAL_ID",
        };
        let first = if is_named { format!("set {setting} to {found}; then ") } else { String::new() };
        let command = format!("{first}send action \"retry\" for every VPC whose peerings are Drifted for their roles");
        self.gone("principal_replaced", create_service_principal::STEP, (what, command))
    }

    fn gone(&self, kind: &str, step: &str, (what, command): (String, String)) -> Drift {
        by_hand(kind, step, what, command, self.engine.clock.now())
    }

    /// The default deployment gives the app no right to read the directory.
    async fn no_answer(&self, failure: &Failure) -> Result<(), RunError> {
        if failure.status == Some(403) {
            debug!(service = %failure.service, "the directory may not be read, so nothing is seen of it");
            return Ok(());
        }
        Ok(self.engine.unanswered(failure).await?)
    }
}
