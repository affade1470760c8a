//! W3C trace context: one trace a peering, from the request on, across hours and processes.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The namespace of span ids that are made from names.
const SPANS: Uuid = Uuid::from_u128(0x1d0c_2f5a_7c1b_4f0e_9a53_6b8f_0e21_d7c4);

/// A `traceparent` (W3C Trace Context, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The whole trace.
    pub trace: u128,
    /// The span that what follows is a child of.
    pub span: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl TraceParent {
    /// A trace of its own, for a request that came without one. The same name gives the same trace: a redelivery goes on with it.
    pub fn root(name: &str) -> Self {
        let trace = Uuid::new_v5(&SPANS, name.as_bytes()).as_u128();
        Self { trace, span: span_of(name), sampled: true }
    }

    /// The span of this name in the same trace.
    #[must_use]
    pub fn child(self, name: &str) -> Self {
        Self { span: span_of(&format!("{:032x}/{name}", self.trace)), ..self }
    }
}

/// Never zero, which would be no span.
fn span_of(name: &str) -> u64 {
    let (high, _) = Uuid::new_v5(&SPANS, name.as_bytes()).as_u64_pair();
    high.max(1)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

/// It is no `traceparent` of a version that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NoTrace;

impl FromStr for TraceParent {
    type Err = NoTrace;

    fn from_str(text: &str) -> Result<Self, NoTrace> {
        let parts: Vec<&str> = text.trim().split('-').collect();
        let [version, trace, span, flags, ..] = parts[..] else { return Err(NoTrace) };
        // Later versions may only append; version ff is none.
        let known = (version == "00" && parts.len() == 4) || (version.len() == 2 && !matches!(version, "00" | "ff"));
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !known || !hex(version, 2) || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return Err(NoTrace);
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_| NoTrace)?;
        let span = u64::from_str_radix(span, 16).map_err(|_| NoTrace)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| NoTrace)?;
        if trace == 0 || span == 0 {
            return Err(NoTrace);
        }
        Ok(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_the_host_sends_is_read_and_written_alike() {
        let parent: TraceParent = GIVEN.parse().unwrap();
        assert_eq!(parent.to_string(), GIVEN);
        let child = parent.child("peer_network 12");
        assert_eq!(child.trace, parent.trace);
        assert_ne!(child.span, parent.span);
        assert_eq!(child.to_string().parse(), Ok(child));
        assert_eq!(parent.child("peer_network 12"), child, "a redelivery is the same span");
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        for text in [
            "",
            "00",
            "00-0-0-0",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NoTrace), "{text}");
        }
        assert!("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more".parse::<TraceParent>().is_ok());
    }

    #[test]
    fn a_request_without_a_trace_begins_one() {
        assert_eq!(TraceParent::root("m"), TraceParent::root("m"));
        assert_ne!(TraceParent::root("m").trace, TraceParent::root("n").trace);
    }
}
