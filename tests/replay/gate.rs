//! A gate between the host and its queues: it can be shut, as in a storage outage, and it knows when polls passed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Gate {
    /// Address of the gate.
    pub address: String,
    shut: Arc<AtomicBool>,
    polls: Arc<Mutex<Vec<Instant>>>,
}

impl Gate {
    /// A gate to `target`, open.
    pub async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shut, polls) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let gate = Self { address, shut: Arc::clone(&shut), polls: Arc::clone(&polls) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), Arc::clone(&shut), Arc::clone(&polls)));
            }
        });
        gate
    }

    /// Nothing passes for so long, and what was on its way is cut off.
    pub async fn outage(&self, duration: Duration) {
        self.shut.store(true, Ordering::SeqCst);
        tokio::time::sleep(duration).await;
        self.shut.store(false, Ordering::SeqCst);
    }

    /// The pauses between polls, in milliseconds.
    pub fn pauses(&self) -> Vec<u64> {
        let polls = self.polls.lock().unwrap();
        polls.windows(2).map(|pair| u64::try_from((pair[1] - pair[0]).as_millis()).unwrap()).collect()
    }
}

async fn pass(mut client: TcpStream, target: String, shut: Arc<AtomicBool>, polls: Arc<Mutex<Vec<Instant>>>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let passed = tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(0) | Err(_) => return,
                Ok(length) if shut.load(Ordering::SeqCst) => { let _ = length; return; }
                Ok(length) => {
                    let text = String::from_utf8_lossy(&request[..length]);
                    if text.starts_with("GET ") && text.lines().next().is_some_and(|line| line.contains("/messages?")) {
                        polls.lock().unwrap().push(Instant::now());
                    }
                    server.write_all(&request[..length]).await
                }
            },
            read = server.read(&mut answer) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if shut.load(Ordering::SeqCst) => return,
                Ok(length) => client.write_all(&answer[..length]).await,
            },
        };
        if passed.is_err() {
            return;
        }
    }
}
