//! The clients, against the emulated clouds.

mod emulated;
