//! A password of the application, straight into Key Vault (`CREDENTIAL=secret`). Its text is in memory between the two calls, and
//! in no row, message or log: the row keeps which password and which version it is.
//!
//! Adding a password is not idempotent: doing it twice adds two. So every password of the application that has our name is ours, and
//! whatever of ours the vault does not hold is left over from a worker that died, and is removed. Those of other people have other
//! names, or none, and are never touched. A secret in the vault that does not say which password it is was put there by a person:
//! it serves as it is, and whether it is good is Entra's to say.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;
use uuid::Uuid;

use super::application;
use crate::cloud::key_vault::secret_name;
use crate::context::Context;
use crate::engine::{Act, Job, Known, Look, Stop};
use crate::peering::AppId;
use crate::state::Scope;

mod password;
mod remedy;

pub use password::ItsPassword;
pub use remedy::{by_hand, refused_password, remedy};

/// Which password the vault holds; never its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its id in the directory; `None`: a person put it into the vault.
    pub key_id: Option<Uuid>,
    /// The version of the vault's secret.
    pub version: String,
    /// When it ends, if that is known.
    pub expires: Option<Timestamp>,
}

/// Its part of the installation's row.
fn part(app: AppId) -> String {
    format!("{PART}{app}")
}

const PART: &str = "secret:";

/// The application of such a part.
pub fn application_of(part: &str) -> Option<AppId> {
    part.strip_prefix(PART)?.parse().ok()
}

/// Was it seen lately? An application that the deployment made has no password yet: Bicep cannot make one.
pub(super) async fn look(job: &mut Job) -> Result<Look, Stop> {
    let app = application(job)?;
    let Some(known) = job.known(&Scope::Installation, &part(app)).await? else { return Ok(Look::Missing) };
    keep(job, &known);
    Ok(Look::Done)
}

/// Sees to it that the vault holds a password that Entra takes.
pub(super) async fn act(context: &Context, job: &mut Job) -> Result<Act, Stop> {
    let app = application(job)?;
    let password = ItsPassword::new(context, app, job.clock.clone());
    let known = job.ensure(&Scope::Installation, &part(app), &password).await?;
    if let Err(failure) = password.remove_left_over(&known.value).await {
        // The password in the vault is as good without: the next pass tries again.
        warn!(peering = job.record.id, %app, "a password of ours that nobody uses could not be removed: {failure}");
    }
    let end = known.value.expires.map(|end| format!(" and ends at {end}")).unwrap_or_default();
    job.said = Some(format!("the application's password is in the vault's secret {}{end}", secret_name(app)));
    keep(job, &known);
    Ok(Act::Done)
}

fn keep(job: &mut Job, known: &Known<Kept>) {
    job.record.facts.secret_at = known.made_at;
    job.record.facts.secret_expires = known.value.expires;
}
