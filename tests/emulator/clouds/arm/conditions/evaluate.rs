//! Whether a condition holds when somebody does something.

use super::{Attribute, Comparison, Expression, Source};
use crate::clouds::world::glob;

/// What is done, and to what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Situation<'a> {
    /// The action.
    pub(crate) action: &'a str,
    /// The role assignment asked for.
    pub(crate) request: Attributes<'a>,
    /// The role assignment that is there.
    pub(crate) resource: Attributes<'a>,
}

/// A role assignment's attributes, as far as they are said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    /// GUID of the role definition.
    pub(crate) role: Option<&'a str>,
    /// Object id of the principal.
    pub(crate) principal: Option<&'a str>,
    /// Type of the principal.
    pub(crate) principal_type: Option<&'a str>,
}

impl Expression {
    pub(super) fn holds(&self, situation: &Situation<'_>) -> bool {
        match self {
            Self::Any(all) => all.iter().any(|e| e.holds(situation)),
            Self::All(all) => all.iter().all(|e| e.holds(situation)),
            Self::Not(inner) => !inner.holds(situation),
            Self::ActionMatches(pattern) => glob(pattern, situation.action),
            Self::Compare(comparison) => comparison.holds(situation),
        }
    }
}

impl Comparison {
    /// A comparison with what is not there is false, a negated one too (Azure RBAC: conditions-format).
    fn holds(&self, situation: &Situation<'_>) -> bool {
        let attributes = match self.source {
            Source::Request => situation.request,
            Source::Resource => situation.resource,
        };
        let left = match self.attribute {
            Attribute::RoleDefinitionId => attributes.role,
            Attribute::PrincipalId => attributes.principal,
            Attribute::PrincipalType => attributes.principal_type,
        };
        let Some(left) = left else { return false };
        let same = |right: &String| if self.ignore_case { left.eq_ignore_ascii_case(right) } else { left == right };
        let fits = |right: &String| same(right) != self.negated;
        if self.every { self.values.iter().all(fits) } else { self.values.iter().any(fits) }
    }
}
