//! Passwords of an application: added by the service, which shows the text once, and removed by id.

use super::{Caller, body, credentials, errors, required, with_context};
use crate::clouds::clock;
use crate::clouds::http::{Answer, Reply, Request, text};
use crate::clouds::world::{Password, PasswordPolicy, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// `startDateTime` + 2 years, unless told otherwise (Graph: application-addpassword).
const TWO_YEARS: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

pub(super) fn add(world: &mut World, request: &Request, caller: &Caller, app: usize) -> Answer {
    caller.change(world.applications[app].owner.as_deref())?;
    let body = body(request)?;
    let now = world.now();
    let start = moment(&body, "startDateTime")?.unwrap_or(now);
    let default = start.checked_add(TWO_YEARS).unwrap_or(Timestamp::MAX);
    let end = moment(&body, "endDateTime")?.unwrap_or(default);
    if end <= start || end <= now {
        return Err(errors::bad("Credential end date is invalid: it has to be after the start date, and to come."));
    }
    allowed(world.upsets.password_policy, end.duration_since(start))?;
    let password = Password {
        key_id: clock::uuid(),
        display_name: text(&body, "/passwordCredential/displayName").map(str::to_owned),
        created_at: now,
        start,
        end,
        // Real secrets carry `~`, which clients must form-encode.
        secret: format!("{}~", &clock::random_text()[..38]),
    };
    let mut answer = json(&password);
    answer["secretText"] = password.secret.clone().into();
    world.secrets_made.push(password.secret.clone());
    world.applications[app].passwords.push(password);
    Ok(Reply::ok(with_context(world, "microsoft.graph.passwordCredential", answer)))
}

fn moment(body: &Value, name: &str) -> Answer<Option<Timestamp>> {
    let Some(written) = text(body, &format!("/passwordCredential/{name}")) else { return Ok(None) };
    let parsed = written.parse().map(Some);
    parsed.map_err(|_| {
        errors::bad(&format!("Cannot convert the literal '{written}' to the expected type 'Edm.DateTimeOffset'."))
    })
}

/// The codes stand in `error.code` itself (Microsoft 365 Agents Toolkit: aadErrorCode).
fn allowed(policy: Option<PasswordPolicy>, lifetime: SignedDuration) -> Answer<()> {
    let id = "538f1913-366a-440a-95a0-e195cb55b282";
    match policy {
        Some(PasswordPolicy::Forbidden) => {
            let text = format!("Credential type not allowed as per assigned policy '{id}'.");
            Err(errors::error(400, "CredentialTypeNotAllowedAsPerAppPolicy", &text))
        }
        Some(PasswordPolicy::LongestDays(days)) if lifetime > SignedDuration::from_hours(24 * i64::from(days)) => {
            let text = format!("Credential lifetime exceeds the max value allowed as per assigned policy '{id}'.");
            Err(errors::error(400, "CredentialInvalidLifetimeAsPerAppPolicy", &text))
        }
        _ => Ok(()),
    }
}

pub(super) fn remove(world: &mut World, request: &Request, caller: &Caller, app: usize) -> Answer {
    caller.change(world.applications[app].owner.as_deref())?;
    let body = body(request)?;
    let key = required(&body, "keyId")?;
    let passwords = &mut world.applications[app].passwords;
    let before = passwords.len();
    passwords.retain(|p| !p.key_id.eq_ignore_ascii_case(key));
    if passwords.len() == before {
        return Err(errors::bad("No password credential found with keyId."));
    }
    Ok(Reply::empty(204))
}

/// As every read shows it: never with its text.
pub(super) fn json(password: &Password) -> Value {
    json!({
        "customKeyIdentifier": null, "displayName": password.display_name,
        "endDateTime": credentials::time(password.end), "hint": password.secret.get(..3), "keyId": password.key_id,
        "secretText": null, "startDateTime": credentials::time(password.start)
    })
}
