//! The servers: one a service, HTTP/1.1, with or without TLS, that can abort a connection without an answer.

use super::calls::{self, Call, Service, caller};
use super::clock;
use super::faults::{Action, Faults};
use super::http::{Reply, Request};
use super::world::World;
use super::{aiven, arm, entra, graph, identity_endpoint, key_vault};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What all servers share.
pub(crate) struct Shared {
    pub(crate) world: Mutex<World>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) calls: Mutex<Vec<Call>>,
    /// Whether calls are recorded with their bodies.
    pub(crate) bodies: AtomicBool,
}

/// The connection is to be aborted without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the emulator cut the connection, as a fault told it to")]
pub(crate) struct Cut;

/// A poisoned lock is still a lock: a test that panicked while it held the world must not hide its own message.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same for a test's own use, where waiting for ever would be a mistake of the test.
pub(crate) fn lock_or_panic<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for _ in 0..10_000 {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => clock::pause(std::time::Duration::from_millis(1)),
        }
    }
    panic!("the emulated world is held already: by this very statement, or across an await");
}

/// Serves one service until it is aborted; its connections end with it.
pub(crate) async fn serve(shared: Arc<Shared>, service: Service, listener: TcpListener, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            clock::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        // A failure concerns latency only.
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(Arc::clone(&shared), service, stream, tls.clone()));
    }
}

async fn connection(shared: Arc<Shared>, service: Service, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let cut = Arc::new(AtomicBool::new(false));
    let socket = Socket { stream, cut: Arc::clone(&cut) };
    match tls {
        Some(tls) => {
            if let Ok(stream) = tls.accept(socket).await {
                requests(shared, service, stream, cut).await;
            }
        }
        None => requests(shared, service, socket, cut).await,
    }
}

async fn requests<S>(shared: Arc<Shared>, service: Service, stream: S, cut: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handler = service_fn(move |request| {
        let (shared, cut) = (Arc::clone(&shared), Arc::clone(&cut));
        async move {
            let answer = one(&shared, service, request).await;
            if answer.is_err() {
                cut.store(true, Ordering::SeqCst);
            }
            answer
        }
    });
    // It ends with an error when the connection was cut, by either side: nothing is left to do.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), handler)
        .await;
}

async fn one(
    shared: &Shared,
    service: Service,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, 1 << 20).collect().await.map_err(|_| Cut)?.to_bytes();
    let target = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let request = Request::new(parts.method.as_str(), &target, parts.headers, body);
    let struck = lock(&shared.faults).before(service, &request);
    if let Some(Action::Delay(nominal)) = &struck {
        let real = lock(&shared.world).clock.real(*nominal);
        clock::sleep(real).await;
    }
    response(shared.answer(service, &request, struck)?)
}

fn response(reply: Reply) -> Result<hyper::Response<Full<Bytes>>, Cut> {
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let body = match &reply.body {
        Some(body) => {
            response = response.header("Content-Type", "application/json; charset=utf-8");
            Bytes::from(body.to_string())
        }
        None => Bytes::new(),
    };
    response.body(Full::new(body)).map_err(|_| Cut)
}

impl Shared {
    /// Answers one call, or says that the connection is to be cut; records it either way.
    pub(crate) fn answer(&self, service: Service, request: &Request, struck: Option<Action>) -> Result<Reply, Cut> {
        let reply = match struck {
            Some(Action::Respond(reply)) => Ok(reply),
            Some(Action::CutBefore) => Err(Cut),
            // A vault's name does not even resolve before there is a vault.
            _ if service == Service::KeyVault && lock(&self.world).vault.is_none() => Err(Cut),
            _ => {
                let reply = dispatch(&mut lock(&self.world), service, request);
                let after = lock(&self.faults).after(service, request, &reply);
                match after {
                    Some(Action::CutAfter) => Err(Cut),
                    Some(Action::CutAfterThen(then)) => {
                        then();
                        Err(Cut)
                    }
                    _ => Ok(reply),
                }
            }
        };
        self.record(service, request, reply.as_ref().ok());
        reply
    }

    fn record(&self, service: Service, request: &Request, reply: Option<&Reply>) {
        let (at, caller) = {
            let world = lock(&self.world);
            (world.now(), caller(&world, service, request))
        };
        let body = self.bodies.load(Ordering::Relaxed).then(|| calls::body(service, request)).flatten();
        lock(&self.calls).push(Call {
            at,
            service,
            method: request.method.clone(),
            path: request.target.clone(),
            status: reply.map(|r| r.status),
            caller,
            body,
        });
    }
}

fn dispatch(world: &mut World, service: Service, request: &Request) -> Reply {
    world.advance();
    match service {
        Service::Aiven => aiven::handle(world, request),
        Service::Entra => entra::handle(world, request),
        Service::Graph => graph::handle(world, request),
        Service::Arm => arm::handle(world, request),
        Service::Identity => identity_endpoint::handle(world, request),
        Service::KeyVault => key_vault::handle(world, request),
    }
}

/// A TCP stream that is reset, not closed, when the connection is cut.
struct Socket {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.cut.load(Ordering::SeqCst) {
            // Without it the peer sees an orderly end instead of a reset: still no answer.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
