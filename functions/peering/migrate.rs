//! Records of older versions of this program, as they are read. Rows change only when they are next written.

use super::{Phase, Record, SCHEMA, Status};

/// Brings a record of an older schema up to this one.
pub fn migrate(record: &mut Record) {
    if record.schema < 2 {
        // Schema 1 knew that nothing is under way from the status and the fault.
        let given_up = record.fault.as_ref().is_some_and(|fault| fault.given_up);
        if record.status.is_final() || record.status == Status::Paused || given_up {
            record.phase = Phase::IDLE;
        }
    }
    record.schema = SCHEMA;
}
