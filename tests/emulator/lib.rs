//! What a laptop lacks: the two clouds and the Functions host. Shares no type with the product, so no misreading either.

pub mod azurite;
pub mod clouds;
pub mod host;
