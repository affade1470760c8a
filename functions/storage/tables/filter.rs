//! Which rows a query returns: a small typed subset of OData, so that no value can break out of its quotes.

use std::fmt;

use super::entity::{Value, to_ticks};

/// A condition on a row. `PartitionKey`, `RowKey` and `Timestamp` are properties here like any other.
///
/// A comparison with a property that the row does not have, or has with another type, does not hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Equal.
    Eq(String, Value),
    /// There, and not equal.
    Ne(String, Value),
    /// Greater.
    Gt(String, Value),
    /// Greater or equal.
    Ge(String, Value),
    /// Less.
    Lt(String, Value),
    /// Less or equal.
    Le(String, Value),
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds at least.
    Or(Box<Filter>, Box<Filter>),
}

impl Filter {
    /// Equal.
    pub fn eq(name: &str, value: impl Into<Value>) -> Self {
        Self::Eq(name.to_owned(), value.into())
    }

    /// Rows of one partition.
    pub fn partition(key: &str) -> Self {
        Self::eq("PartitionKey", key)
    }

    /// Rows whose key starts with a prefix (which must not be empty, nor end in the last character there is).
    pub fn row_prefix(prefix: &str) -> Self {
        let row = || "RowKey".to_owned();
        Self::Ge(row(), prefix.into()).and(Self::Lt(row(), after_all(prefix).into()))
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// One holds at least.
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }
}

/// OData, as `$filter` takes it.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, operator, value) = match self {
            Self::And(one, other) => return write!(f, "({one}) and ({other})"),
            Self::Or(one, other) => return write!(f, "({one}) or ({other})"),
            Self::Eq(name, value) => (name, "eq", value),
            Self::Ne(name, value) => (name, "ne", value),
            Self::Gt(name, value) => (name, "gt", value),
            Self::Ge(name, value) => (name, "ge", value),
            Self::Lt(name, value) => (name, "lt", value),
            Self::Le(name, value) => (name, "le", value),
        };
        write!(f, "{name} {operator} {}", literal(value))
    }
}

/// A value as an OData 3 literal; quotes in strings are doubled ("Querying tables and entities").
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Int(number) => number.to_string(),
        Value::Long(number) => format!("{number}L"),
        Value::Double(number) => format!("{number:?}"),
        Value::Bool(truth) => truth.to_string(),
        Value::DateTime(instant) => format!("datetime'{}'", to_ticks(*instant)),
        // Upper-case hexadecimal, as in the documentation's example.
        Value::Binary(bytes) => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()),
        Value::Guid(id) => format!("guid'{id}'"),
    }
}

/// The least text greater than every text with this prefix.
fn after_all(prefix: &str) -> String {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last as u32 + 1..=char::MAX as u32).find_map(char::from_u32) {
            chars.push(next);
            break;
        }
    }
    chars.into_iter().collect()
}
