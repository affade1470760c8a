//! What holds for any service, after its own table.

use super::write::*;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    // A link of an answer led away from the service's own address; the token stays with us.
    row(&[], &[crate::cloud::NOT_SENT], "", permanent(
        "an answer of the service leads to a foreign address", "please report it to the maintainers with this text; `retry` tries again")),
    row(&[400, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 422, 431, 451], &[], "", permanent(
        "the service refused the request", "see the message; `retry` tries again")),
];

/// Everything else: no answer, 5xx, 408, 429, a redirection, an answer that cannot be read.
#[rustfmt::skip]
pub(super) const REST: Rule = wait(Transient, 30 * MINUTE, FirstSeen, (5, 60),
    "the service did not answer as it should", "see the service's status page; `retry` tries again");
