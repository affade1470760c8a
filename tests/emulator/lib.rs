//! What a laptop lacks: the two clouds and the Functions host.

pub mod clouds;
