//! The ids that must not be mixed up, each a type of its own, parsed once at the door.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not the id it should be: one sentence, fit for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(pub String);

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident, $what:literal;)*) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            /// Lower case with hyphens, as every service here writes it.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Any letter case; the hyphenated form only, as no service prints another.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let id = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
                id.map(Self).ok_or_else(|| {
                    InvalidId(format!(concat!($what, " {:?} is not a GUID such as 33333333-3333-4333-8333-333333333333"), text))
                })
            }
        }
    )*};
}

uuid_id! {
    /// An Entra tenant (a directory).
    TenantId, "tenant id";
    /// The client id (`appId`) of an application: the same in every tenant. Never an object id.
    AppId, "application id";
    /// The object id of a directory object, such as a service principal: differs from tenant to tenant.
    ObjectId, "object id";
    /// An Azure subscription.
    SubscriptionId, "subscription id";
}

impl SubscriptionId {
    /// `/subscriptions/<id>`: the scope, and the argument of `guid()`, as ARM returns it.
    pub fn scope(&self) -> String {
        format!("/subscriptions/{self}")
    }
}

/// The beginning of a text that somebody sent, for the sentence that refuses it.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The namespace of ARM's `guid()` template function (Bicep compiler, `guid` intrinsic).
const ARM_GUID_NAMESPACE: Uuid = Uuid::from_u128(0x11fb06fb_712d_4ddd_98c7_e71bbd588830);

/// What Bicep's `guid(a, b, …)` computes: UUID v5 of the arguments joined with `-`. So an id that a deployment
/// made and one that we make are the same.
pub fn guid(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&ARM_GUID_NAMESPACE, parts.join("-").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guid_is_what_the_bicep_compiler_computes() {
        assert_eq!(guid(&["foo", "bar", "baz"]).to_string(), "2ed86837-7c7c-5eaa-9864-dd077fd19b0d");
        assert_eq!(guid(&["asdf"]).to_string(), "228d27cc-6fdb-5934-b7ac-1efccebade04");
    }
}
