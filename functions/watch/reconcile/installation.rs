//! What all peerings share: the application with its credential, its principal, and Aiven's. Three calls of Graph.
//!
//! Where the app was given no right to read the directory, nothing is seen of it.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tracing::debug;

use super::{Seen, by_hand, is_settled, record, secret};
use crate::cloud::entra::Credential;
use crate::create::add_credential::federated;
use crate::create::{Tools, admit_aiven, create_service_principal, register_application};
use crate::engine::{Engine, Failure, Fix, RunError, Stop};
use crate::peering::{AppId, Drift, ObjectId};
use crate::store::{Scope, SharedRow};
use crate::watch::reconcile_vpc::unanswered;

/// The principals that have roles.
#[derive(Debug, Clone, Copy)]
pub struct Principals {
    /// Our application's.
    pub ours: Option<ObjectId>,
    /// Aiven's.
    pub aivens: Option<ObjectId>,
}

/// Looks, records, and returns whose roles are to be looked at.
pub async fn look(engine: &Engine, tools: &Tools) -> Result<Principals, RunError> {
    let held = engine.shared.load(&Scope::Installation).await?;
    let made = tools.settings.made;
    let app = made.application.or(value(&held.row, register_application::PART));
    let ours = app.map(create_service_principal::part);
    let principals = Principals {
        ours: made.principal.or(ours.as_deref().and_then(|part| value(&held.row, part))),
        aivens: made.aiven_principal.or(value(&held.row, admit_aiven::PART)),
    };
    let look = Look { engine, tools, row: held.row.clone() };
    let mut seen = Seen::new();
    if let Some(app) = app {
        match tools.settings.credential {
            Credential::Federated => look.credential(app, &mut seen).await?,
            Credential::Secret => look.passwords(&mut seen).await?,
        }
        look.principal(app, &create_service_principal::part(app), made.principal, &mut seen).await?;
    }
    let aivens = tools.settings.aiven_application;
    look.principal(aivens, admit_aiven::PART, made.aiven_principal, &mut seen).await?;
    record(engine, &Scope::Installation, held, &seen).await?;
    Ok(principals)
}

fn value<T: DeserializeOwned>(row: &SharedRow, part: &str) -> Option<T> {
    serde_json::from_value(row.parts.get(part)?.value.clone()?).ok()
}

struct Look<'a> {
    engine: &'a Engine,
    tools: &'a Tools,
    row: SharedRow,
}

impl Look<'_> {
    fn is_settled(&self, part: &str) -> bool {
        self.row.parts.get(part).is_some_and(|part| is_settled(part, &*self.engine.clock))
    }

    async fn credential(&self, app: AppId, seen: &mut Seen) -> Result<(), RunError> {
        let part = federated::part(app);
        if !self.is_settled(&part) && self.tools.settings.made.application != Some(app) {
            return Ok(());
        }
        let wanted = federated::wanted(self.tools);
        let drift = match self.tools.clouds.graph.federated_credentials(app).await {
            Ok(all) if all.iter().any(|found| federated::is_same(found, &wanted)) => None,
            Ok(_) => Some(self.gone("credential_gone", "add_credential", {
                let what = format!("the federated credential that lets this app sign in as application {app} is gone");
                (what, federated::command(self.tools, app))
            })),
            Err(failure) if failure.is_not_found() => Some(application_gone(app, self.engine.clock.now())),
            Err(failure) => return self.no_answer(&failure).await,
        };
        seen.insert(part, drift);
        Ok(())
    }

    async fn passwords(&self, seen: &mut Seen) -> Result<(), RunError> {
        match secret::check(self.tools, &self.row, &self.engine.clock).await {
            Ok(of_passwords) => seen.extend(of_passwords),
            Err(Stop::Failed(failure)) => self.no_answer(&failure).await?,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(stop) => debug!("nothing is known of the passwords: {stop:?}"),
        }
        Ok(())
    }

    async fn principal(&self, app: AppId, part: &str, made: Option<ObjectId>, seen: &mut Seen) -> Result<(), RunError> {
        if made.is_none() && !self.is_settled(part) {
            return Ok(());
        }
        let drift = match self.tools.clouds.graph.service_principal(app).await {
            Ok(Some(principal)) if principal.enabled => None,
            Ok(Some(_)) => {
                let Fix { what, command, code, .. } = create_service_principal::disabled(app);
                Some(self.gone(&code, "create_service_principal", (what, command)))
            }
            Ok(None) => Some(self.gone("principal_gone", "create_service_principal", {
                let what = format!(
                    "the service principal of application {app} is gone from our tenant, and its roles with it"
                );
                let command = "restore it among the deleted ones in the Entra portal, which keeps its roles; or";
                (what, format!("{command}: az ad sp create --id {app} (an Application Administrator)"))
            })),
            Err(failure) => return self.no_answer(&failure).await,
        };
        seen.insert(part.to_owned(), drift);
        Ok(())
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
        unanswered(self.engine, failure).await
    }
}

/// The application itself was deleted.
pub(super) fn application_gone(app: AppId, now: Timestamp) -> Drift {
    let what = format!("application {app}, as which peerings are made, is gone");
    let command = "restore it among the deleted applications in the Entra portal; after 30 days it is gone for good";
    by_hand("application_gone", "register_application", what, format!("{command} (an Application Administrator)"), now)
}
