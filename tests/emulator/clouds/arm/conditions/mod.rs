//! Conditions of role assignments, version 2.0: the part of the language that delegates the assigning of roles.
//!
//! `AND`, `OR`, `!`, parentheses, `ActionMatches{'…'}`, and comparisons of `@Request[…]` or `@Resource[…]` with GUIDs and
//! texts (Azure RBAC: conditions-format, delegate-role-assignments-examples). What else Azure knows (storage's attributes,
//! `Exists`, `SubOperationMatches`, principals' attributes) is refused here as a mistake in the text would be.
//!
//! - `lex`: text to tokens    - `parse`: tokens to an expression    - `evaluate`: is it so?

mod evaluate;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use evaluate::{Attributes, Situation};

/// A condition that was understood.
#[derive(Clone, Debug)]
pub struct Condition {
    text: String,
    expression: Expression,
}

/// The text is no condition; where and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

/// Longest condition in bytes (Azure subscription limits: Azure RBAC).
const LONGEST: usize = 8 * 1024;

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What could not be read.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed(format!("it has {} bytes, and must not have more than {LONGEST}", text.len())));
        }
        let tokens = lex::tokens(text)?;
        Ok(Self { text: text.to_owned(), expression: parse::expression(&tokens)? })
    }

    /// Its text, as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the assignment that carries it counts in this situation.
    pub(crate) fn holds(&self, situation: &Situation<'_>) -> bool {
        self.expression.holds(situation)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    ActionMatches(String),
    Compare(Comparison),
}

/// `@Request[…:PrincipalId] ForAnyOfAnyValues:GuidEquals {…}`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    source: Source,
    attribute: Attribute,
    /// Whether every value on the right has to do, or one.
    every: bool,
    /// `…NotEquals…`
    negated: bool,
    ignore_case: bool,
    values: Vec<String>,
}

/// Where an attribute is taken from: what is asked for, or what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Request,
    Resource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    RoleDefinitionId,
    PrincipalId,
    PrincipalType,
}
