//! What runs by the clock, and what it fans out to: the poll of Aiven, and the sweep of what is overdue.

pub mod poll_vpc;
pub mod poll_waiting;
pub mod sweep;

pub mod reconcile {
    //! What is compared, by the clock, with what should be.

    pub mod secret;
}
