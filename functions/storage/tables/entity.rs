//! A row and its typed properties.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::storage::StoreError;

/// The version of a row, as the service names it: opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// A version from the service's own text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For an `If-Match` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entity {
    /// `PartitionKey`
    pub partition: String,
    /// `RowKey`
    pub row: String,
    /// The version that was read; ignored by writes.
    pub etag: Option<Etag>,
    /// When the service last wrote it; ignored by writes.
    pub timestamp: Option<Timestamp>,
    /// All other properties.
    pub properties: BTreeMap<String, Value>,
}

impl Entity {
    /// A row without properties.
    pub fn new(partition: impl Into<String>, row: impl Into<String>) -> Self {
        Self { partition: partition.into(), row: row.into(), ..Self::default() }
    }

    /// The version that was read.
    ///
    /// # Errors
    /// The service gave the row no `ETag`. Without one no write can be conditional, so nothing may be written over the row.
    pub fn version(&self) -> Result<Etag, StoreError> {
        self.etag.clone().ok_or_else(|| {
            let what = format!("row {} of partition {}", self.row, self.partition);
            let message =
                "the service gave the row no ETag, so it cannot be changed safely; use an Azure Storage account";
            StoreError::Other { what, status: None, code: "NoEtag".to_owned(), message: message.to_owned(), op: None }
        })
    }

    /// With one property more.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// A property.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// A property that is a string.
    pub fn str(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A property that is a whole number of either width.
    pub fn long(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Int(number) => Some((*number).into()),
            Value::Long(number) => Some(*number),
            _ => None,
        }
    }

    /// A property that is an instant.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        match self.get(name)? {
            Value::DateTime(instant) => Some(*instant),
            _ => None,
        }
    }

    /// A property that is a truth value.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A property that is binary.
    pub fn binary(&self, name: &str) -> Option<&[u8]> {
        match self.get(name)? {
            Value::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// A property's value, by its EDM type (Table service data model). There is no null: a property is there or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `Edm.String`: at most 32 K UTF-16 units.
    String(String),
    /// `Edm.Int32`
    Int(i32),
    /// `Edm.Int64`
    Long(i64),
    /// `Edm.Double`
    Double(f64),
    /// `Edm.Boolean`
    Bool(bool),
    /// `Edm.DateTime`: 1601 to 9999; kept to 100 ns, cut beyond.
    DateTime(Timestamp),
    /// `Edm.Binary`: at most 64 KiB.
    Binary(Vec<u8>),
    /// `Edm.Guid`
    Guid(Uuid),
}

macro_rules! from {
    ($($type:ty => $variant:ident),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    String => String, &str => String, i32 => Int, i64 => Long, f64 => Double, bool => Bool, Timestamp => DateTime,
    Vec<u8> => Binary, Uuid => Guid
}

/// An instant as the service keeps it: whole units of 100 ns.
pub(in crate::storage) fn to_ticks(instant: Timestamp) -> Timestamp {
    let excess = instant.subsec_nanosecond().rem_euclid(100);
    instant - jiff::SignedDuration::from_nanos(excess.into())
}
