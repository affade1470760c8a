//! A gate between the host and its queues: it can be shut, as in a storage outage, and it knows when polls passed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When a queue was asked for messages.
struct Poll {
    queue: String,
    at: Instant,
    found: bool,
}

pub struct Gate {
    /// Address of the gate.
    pub address: String,
    shut: Arc<AtomicBool>,
    polls: Arc<Mutex<Vec<Poll>>>,
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

    /// The pauses between the polls of a queue until one found a message, in milliseconds.
    pub fn pauses(&self, queue: &str) -> Vec<u64> {
        let polls = self.polls.lock().unwrap();
        let of_queue: Vec<&Poll> = polls.iter().filter(|poll| poll.queue == queue).collect();
        let end = of_queue.iter().position(|poll| poll.found).map_or(of_queue.len(), |at| at + 1);
        of_queue[..end].windows(2).map(|pair| u64::try_from((pair[1].at - pair[0].at).as_millis()).unwrap()).collect()
    }
}

/// The queue that a request asks for messages, if it does.
fn polled(request: &str) -> Option<Poll> {
    let (path, _) = request.strip_prefix("GET ")?.split_once("/messages?")?;
    Some(Poll { queue: path.rsplit('/').next()?.to_owned(), at: Instant::now(), found: false })
}

async fn pass(mut client: TcpStream, target: String, shut: Arc<AtomicBool>, polls: Arc<Mutex<Vec<Poll>>>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let (mut request, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
    // The newest poll on this connection.
    let mut asked = usize::MAX;
    loop {
        let passed = tokio::select! {
            read = client.read(&mut request) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if shut.load(Ordering::SeqCst) => return,
                Ok(length) => {
                    if let Some(poll) = polled(&String::from_utf8_lossy(&request[..length])) {
                        let mut polls = polls.lock().unwrap();
                        asked = polls.len();
                        polls.push(poll);
                    }
                    server.write_all(&request[..length]).await
                }
            },
            read = server.read(&mut answer) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if shut.load(Ordering::SeqCst) => return,
                Ok(length) => {
                    if String::from_utf8_lossy(&answer[..length]).contains("<QueueMessage>")
                        && let Some(poll) = polls.lock().unwrap().get_mut(asked)
                    {
                        poll.found = true;
                    }
                    client.write_all(&answer[..length]).await
                }
            },
        };
        if passed.is_err() {
            return;
        }
    }
}
