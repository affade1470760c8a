//! What to make of a failed call: one total function from (service, status, code, text) to a rule, and from a rule and an age to
//! a verdict. The tables, one a service, are those of the vendors' documentation and of their own clients' retry lists.

mod aiven;
mod aiven_token;
mod any;
mod arm;
mod entra;
mod graph;
mod key_vault;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::cloud::{Failure, SecretName, Service};
use crate::peering::Party;

/// What the window of a rule is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The first time this failure was seen in this step.
    FirstSeen,
    /// Our application's role assignment on the VNet.
    OurAssignment,
    /// The service principal made last.
    PrincipalMade,
    /// The federated credential.
    CredentialMade,
    /// The application's newest password.
    SecretMade,
    /// The role definition made last.
    RoleMade,
    /// Aiven's PENDING_PEER: from then on its side grants us what we need.
    PendingPeer,
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is there already: look again.
    Exists,
    /// Something we depend on is not visible everywhere yet.
    Propagating,
    /// Another operation is in the way.
    Busy,
    /// Too many requests.
    Throttled,
    /// Network, or the service itself.
    Transient,
    /// The token was refused: the next try takes a fresh one.
    Token,
    /// The same cause hits every peering: it is recorded and told once.
    Shared,
    /// Only a person can mend it.
    Permanent,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What kind of thing it is.
    pub class: Class,
    /// Nominal seconds in which it may pass by itself; 0 if it never does.
    pub window: u64,
    /// From when they are counted.
    pub since: Since,
    /// Nominal seconds to the next look; they double, up to `slowest`.
    pub pace: u64,
    /// The slowest pace, nominal seconds.
    pub slowest: u64,
    /// What it means, in a clause: shown while waiting, and as the reason of the fix.
    pub why: &'static str,
    /// What a person does when it does not pass.
    pub fix: &'static str,
}

/// What a failure means at a certain age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may pass: look again.
    Wait {
        /// Who has to move.
        party: Party,
        /// Until the next look, nominal.
        delay: Duration,
    },
    /// It will not pass by itself, or has not within its window.
    Fix,
}

impl Rule {
    /// What a person does when it does not pass, with the names filled in that are known.
    pub fn fix_for(&self, failure: &Failure) -> String {
        match failure.secret.as_deref() {
            None => self.fix.to_owned(),
            Some(SecretName { vault, name }) => self.fix.replace("<vault>", vault).replace("<secret>", name),
        }
    }

    /// The verdict, given the nominal age of what the rule counts from and how often it was looked at already.
    pub fn at(&self, failure: &Failure, age: Duration, attempts: u32) -> Verdict {
        if age >= Duration::from_secs(self.window) {
            return Verdict::Fix;
        }
        let grown = self.pace.saturating_mul(1 << attempts.min(10)).min(self.slowest);
        let delay = failure.retry_after.unwrap_or_default().max(Duration::from_secs(grown));
        let party = match (self.class, failure.service) {
            (Class::Shared, _) => Party::Operator,
            (_, Service::Aiven) => Party::Aiven,
            _ => Party::Azure,
        };
        Verdict::Wait { party, delay }
    }
}

/// One row of a table: what it matches, and the rule.
struct Row {
    /// Empty: any, also none.
    statuses: &'static [u16],
    /// Empty: any.
    codes: &'static [&'static str],
    /// A piece of the message; empty: any.
    text: &'static str,
    rule: Rule,
}

impl Row {
    fn matches(&self, failure: &Failure) -> bool {
        (self.statuses.is_empty() || failure.status.is_some_and(|status| self.statuses.contains(&status)))
            && (self.codes.is_empty() || self.codes.iter().any(|code| code.eq_ignore_ascii_case(&failure.code)))
            && (self.text.is_empty() || failure.message.contains(self.text))
    }
}

/// The rule for a failure. Total: the last rule takes everything.
pub fn classify(failure: &Failure) -> &'static Rule {
    let table = match failure.service {
        Service::Aiven => aiven::TABLE,
        Service::Arm => arm::TABLE,
        Service::Graph => graph::TABLE,
        Service::Entra => entra::TABLE,
        Service::ManagedIdentity => entra::MANAGED_IDENTITY,
        Service::KeyVault => key_vault::TABLE,
        Service::AivenToken => aiven_token::TABLE,
    };
    let found = table.iter().chain(any::TABLE).find(|row| row.matches(failure));
    found.map_or(&any::REST, |row| &row.rule)
}

/// How the tables write rows: the first row that matches counts, so codes come before bare statuses.
mod write {
    pub(super) use super::Class::{Busy, Exists, Permanent, Propagating, Shared, Throttled, Token, Transient};
    pub(super) use super::Since::{
        CredentialMade, FirstSeen, OurAssignment, PendingPeer, PrincipalMade, RoleMade, SecretMade,
    };
    use super::{Class, Since};
    pub(super) use super::{Row, Rule};

    pub(super) const MINUTE: u64 = 60;
    /// The first and the slowest pace while a new token is waited for: it takes effect within a minute.
    pub(super) const TOKEN_PACE: (u64, u64) = (15, 45);
    pub(super) const DAY: u64 = 24 * 60 * MINUTE;

    /// A failure that may pass within a window: paces are the first and the slowest.
    pub(super) const fn wait(
        class: Class,
        window: u64,
        since: Since,
        (pace, slowest): (u64, u64),
        why: &'static str,
        fix: &'static str,
    ) -> Rule {
        Rule { class, window, since, pace, slowest, why, fix }
    }

    /// A failure that no waiting mends.
    pub(super) const fn permanent(why: &'static str, fix: &'static str) -> Rule {
        wait(Permanent, 0, FirstSeen, (0, 0), why, fix)
    }

    /// Statuses, codes, a piece of the text, and the rule.
    pub(super) const fn row(
        statuses: &'static [u16],
        codes: &'static [&'static str],
        text: &'static str,
        rule: Rule,
    ) -> Row {
        Row { statuses, codes, text, rule }
    }
}
