//! What every step may use: the clouds, and the settings.

use std::sync::Arc;

use crate::cloud::Clouds;
use crate::settings::Settings;

/// The clouds and the settings.
#[derive(Clone)]
pub struct Context {
    /// The clients.
    pub clouds: Clouds,
    /// The settings.
    pub settings: Arc<Settings>,
}
