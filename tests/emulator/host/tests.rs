//! Tests of the emulated host: against recordings of the real one, and as a whole with Azurite and a scripted handler.
#![allow(clippy::unwrap_used)]

mod flex;
mod processes;
mod queues;
mod recorded;
mod scene;
mod storage;
mod telemetry;
mod timers;
