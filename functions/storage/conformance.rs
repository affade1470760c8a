//! What both the twin and the real service must do: one suite, run against the twin, and against Azurite where
//! `AZURITE_CONNECTION_STRING` says there is one.

mod queues;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use super::{Connection, Storage, memory};
use crate::clock::{Clock, SystemClock, TimeScale};

/// A storage account to try, and names that no other test uses.
struct Account {
    storage: Storage,
    clock: Arc<dyn Clock>,
    suffix: String,
}

impl Account {
    /// A name for a table (letters and digits only), which is also one for a queue.
    fn name(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    async fn table(&self, name: &str) -> String {
        let name = self.name(name);
        self.storage.tables.create_table_if_missing(&name).await.unwrap();
        name
    }

    async fn queue(&self, name: &str) -> String {
        let name = self.name(name);
        self.storage.queues.create_queue_if_missing(&name).await.unwrap();
        name
    }

    /// Lets real time pass: the service's clock cannot be moved.
    async fn pass(&self, time: Duration) {
        self.clock.sleep(time).await;
    }
}

fn twin() -> Account {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(TimeScale::REAL));
    Account { storage: memory::storage(clock.clone()), clock, suffix: String::new() }
}

/// `None`, and a line saying so, where there is no Azurite.
fn azurite() -> Option<Account> {
    let Ok(text) = std::env::var("AZURITE_CONNECTION_STRING") else {
        eprintln!("not run against Azurite: AZURITE_CONNECTION_STRING is not set");
        return None;
    };
    let connection = Connection::parse(&text).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(TimeScale::REAL));
    let transport = Arc::new(reqwest::Client::new());
    let storage = Storage::open(&connection, None, transport, clock.clone()).unwrap();
    Some(Account { storage, clock, suffix: uuid::Uuid::new_v4().simple().to_string() })
}

/// Makes two tests of each behaviour: on the twin, and on Azurite.
macro_rules! behaviours {
    ($($name:ident),* $(,)?) => {
        mod of_the_twin {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::storage::conformance::twin()).await;
            })*
        }
        mod of_azurite {
            $(#[tokio::test]
            async fn $name() {
                if let Some(account) = crate::storage::conformance::azurite() {
                    super::$name(&account).await;
                }
            })*
        }
    };
}
use behaviours;
