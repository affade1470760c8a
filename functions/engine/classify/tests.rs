//! The tables, row by row: real answers of the services, and what becomes of them as time goes by.

mod aiven;
mod arm;
mod entra;
mod graph;
mod key_vault;
mod total;

use std::time::Duration;

use super::{Class, Since, Verdict, classify};
use crate::cloud::{Failure, Service};

/// A failure as a service words it.
fn failure(service: Service, status: u16, code: &str, message: &str) -> Failure {
    Failure {
        service,
        call: "PUT /thing".into(),
        status: Some(status),
        code: code.to_owned(),
        message: message.to_owned(),
        retry_after: None,
        correlation: None,
        secret: None,
    }
}

/// What a row of the documentation says: the answer, and what is to be made of it. A window of 0 is one that never passes.
type Expected = (u16, &'static str, &'static str, Class, u64, Since);

const MINUTES: u64 = 60;

/// Holds the table of a service to rows of the documentation: kind, window and start; waiting at age 0 and just inside the
/// window, a fix from its end on.
fn hold(service: Service, rows: &[Expected]) {
    for &(status, code, message, class, window, since) in rows {
        let failure = failure(service, status, code, message);
        let rule = classify(&failure);
        let row = format!("{status} {code} {message:?}");
        assert_eq!((rule.class, rule.window, rule.since), (class, window, since), "{row}");
        assert!(!rule.why.is_empty() && !rule.fix.is_empty(), "{row}");
        let waits = |age: u64| matches!(rule.at(&failure, Duration::from_secs(age), 0), Verdict::Wait { .. });
        assert!(!waits(window) && !waits(window + 1), "{row}");
        assert!(window == 0 || (waits(0) && waits(window - 1)), "{row}");
    }
}
