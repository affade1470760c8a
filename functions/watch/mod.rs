//! What runs by the clock, and what it fans out to: the poll of Aiven, the sweep of what is overdue, and the comparison of what is with what
//! should be.

pub mod poll_vpc;
pub mod poll_waiting;
pub mod reconcile;
pub mod reconcile_vpc;
pub mod sweep;
