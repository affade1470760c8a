//! The record of what principals wanted to do: every action that was checked, where, and whether it was allowed.

use super::World;

/// One action that somebody was to be allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// Object id of who wanted it.
    pub principal: String,
    /// What.
    pub action: String,
    /// Where.
    pub scope: String,
    /// Whether it was allowed.
    pub allowed: bool,
}

impl World {
    /// What was checked since the last time, each once.
    pub fn take_checks(&mut self) -> Vec<Check> {
        std::mem::take(self.checks.get_mut()).into_iter().collect()
    }

    /// Keeps that this was checked; returns `allowed`.
    pub(crate) fn checked(&self, principal: &str, action: &str, scope: &str, allowed: bool) -> bool {
        let (principal, action, scope) = (principal.to_owned(), action.to_owned(), scope.to_owned());
        self.checks.borrow_mut().insert(Check { principal, action, scope, allowed });
        allowed
    }
}
