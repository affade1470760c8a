//! What runs by the clock, and what it fans out to: the poll of Aiven, and the sweep of what is overdue.

pub mod poll_vpc;
pub mod poll_waiting;
pub mod sweep;
