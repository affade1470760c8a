//! The applications' passwords in the vault (`CREDENTIAL=secret`): whether they are still good, and whether their end is near.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Seen, application_gone, is_settled};
use crate::clock::Clock;
use crate::cloud::Service;
use crate::cloud::key_vault::secret_name;
use crate::context::Context;
use crate::create::add_credential;
use crate::create::add_credential::secret::{ItsPassword, Kept, application_of, by_hand};
use crate::engine::{SharedEffect, Stop};
use crate::peering::AppId;
use crate::state::SharedRow;

/// The kind of drift that says that a password's end is near.
pub const ENDS: &str = "secret_ends";
/// How long before its end a password is reported, nominal.
const AHEAD: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is to be reported of the installation's passwords, by the part of its row: one call of the vault and one of Graph for each
/// application. The texts stay the same from pass to pass.
///
/// # Errors
/// The vault or Graph did not answer: nothing is known then.
pub async fn check(context: &Context, row: &SharedRow, clock: &Arc<dyn Clock>) -> Result<Seen, Stop> {
    let mut seen = Seen::new();
    for (name, _) in row.parts.iter().filter(|(_, part)| is_settled(part, &**clock)) {
        let Some(app) = application_of(name) else { continue };
        let drift = match ItsPassword::new(context, app, clock.clone()).look().await {
            Ok(kept) => judge(app, kept, &**clock).map(|(kind, what)| {
                super::by_hand(kind, add_credential::STEP, what, by_hand(context, app), clock.now())
            }),
            Err(Stop::Failed(failure)) if failure.service == Service::Graph && failure.is_not_found() => {
                Some(application_gone(app, clock.now()))
            }
            Err(stop) => return Err(stop),
        };
        seen.insert(name.clone(), drift);
    }
    Ok(seen)
}

/// Kind and words, if there is something to report.
fn judge(app: AppId, kept: Option<Kept>, clock: &dyn Clock) -> Option<(&'static str, String)> {
    let secret = secret_name(app);
    let Some(kept) = kept else {
        let what =
            format!("the vault's secret {secret} is missing, at its end, or no password of application {app} any more");
        return Some(("secret_gone", what));
    };
    let is_near = |end: &Timestamp| clock.until(*end) < AHEAD;
    let end = kept.expires.filter(is_near)?;
    Some((ENDS, format!("the password of application {app} in the vault's secret {secret} ends at {end}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SystemClock, TimeScale};

    fn judged(days: Option<u64>) -> Option<(&'static str, String)> {
        let clock = SystemClock(TimeScale::new(10.0).unwrap());
        let expires = days.map(|days| clock.after(Duration::from_secs(days * 24 * 3600)));
        let kept = Kept { key_id: None, version: "v".to_owned(), expires };
        judge("22222222-2222-4222-8222-222222222222".parse().unwrap(), Some(kept), &clock)
    }

    #[test]
    fn an_end_is_reported_thirty_days_ahead() {
        assert_eq!(judged(Some(31)), None);
        let (kind, what) = judged(Some(30)).unwrap();
        assert!(kind == "secret_ends" && what.contains("ends at 20"), "{what}");
    }

    #[test]
    fn a_password_without_an_end_has_none_to_report() {
        assert_eq!(judged(None), None);
    }
}
