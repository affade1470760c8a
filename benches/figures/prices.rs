//! What Azure charges, in US dollars without tax, pay as you go, and what is assumed where nothing here can be counted.
//!
//! Noted in November 2026 from public sources, not from a bill: check the price list of your region
//! (<https://azure.microsoft.com/pricing/calculator>) before you rely on a sum.

/// When the prices were noted.
pub const NOTED: &str = "November 2026";

/// Flex Consumption, on demand: a million executions.
pub const MILLION_EXECUTIONS: f64 = 0.40;
/// Flex Consumption, on demand: a gigabyte of instance memory for a second in which a function runs.
pub const GB_SECOND: f64 = 0.000_026;
/// Executions a month that cost nothing, of all apps of a subscription together.
pub const FREE_EXECUTIONS: f64 = 250_000.0;
/// Gigabyte-seconds a month that cost nothing, likewise.
pub const FREE_GB_SECONDS: f64 = 100_000.0;
/// An execution counts for at least so many seconds.
pub const LEAST_SECONDS: f64 = 1.0;
/// Beyond that, its time is rounded up to a multiple of this many seconds.
pub const STEP_SECONDS: f64 = 0.1;
/// An always-ready instance: a gigabyte for a second, idle or not. Running costs beside it, without a free grant.
pub const ALWAYS_READY_GB_SECOND: f64 = 0.000_004;
/// Memory of an instance, GB: `instanceMemoryMB` of `infra/app.bicep`.
pub const INSTANCE_GB: f64 = 0.5;

/// Table Storage, locally redundant: ten thousand transactions; a batch is one.
pub const TABLE_10K: f64 = 0.000_36;
/// Queue Storage, general purpose v2, locally redundant: ten thousand operations. To be checked: sources say from 0.0004 to 0.004.
pub const QUEUE_10K: f64 = 0.004;
/// Blob Storage, hot, locally redundant: ten thousand writes; to make a container, even in vain, costs as much.
pub const BLOB_WRITE_10K: f64 = 0.065;
/// Blob Storage: ten thousand of the other operations; renewing a lease and looking at one are such.
pub const BLOB_OTHER_10K: f64 = 0.005;

/// Log Analytics: a GB (10^9 bytes) taken in.
pub const LOG_GB: f64 = 2.30;
/// GB a month that cost nothing, of a billing account.
pub const FREE_LOG_GB: f64 = 5.0;
/// A log-search alert that looks every 5 minutes, a month.
pub const ALERT_5_MINUTES: f64 = 1.50;
/// One that looks every 15 minutes or more rarely, a month.
pub const ALERT_15_MINUTES: f64 = 0.50;

/// Minutes of a month.
pub const MINUTES: f64 = 730.0 * 60.0;

/// Assumed: what a call of a cloud takes, seconds. Here the clouds answer at once.
pub const CALL_SECONDS: f64 = 0.4;
/// Assumed: what a storage request takes, seconds.
pub const STORAGE_SECONDS: f64 = 0.02;
/// Assumed: how long Aiven takes over each of its two parts of a peering, minutes: as many more polls of a VPC.
pub const AIVEN_MINUTES: f64 = 10.0;
/// Assumed: how long an instance stays without an execution, minutes. Documented is "a number of minutes".
pub const IDLE_MINUTES: f64 = 10.0;
/// Measured at the real host, not counted here: what it logs of its own start, bytes: 57 items, most of them lines of 1,100.
pub const START_LOG: f64 = 57.0 * 1_100.0;
