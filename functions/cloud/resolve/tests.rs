//! Names and ports: on this machine, and against a DNS server of a few lines.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::clock::{SystemClock, TimeScale};
use crate::cloud::script::TokioClock;

fn system(server: Option<SocketAddr>) -> System {
    System::new(Arc::new(SystemClock(TimeScale::REAL)), server)
}

/// An answer to a question: its header's second word, and the records behind it.
fn reply(question: &[u8], flags: u16, records: &[&[u8]]) -> Vec<u8> {
    let mut packet = question.to_vec();
    packet[2..4].copy_from_slice(&flags.to_be_bytes());
    packet[6..8].copy_from_slice(&u16::try_from(records.len()).unwrap().to_be_bytes());
    packet.extend(records.concat());
    packet
}

/// A record whose name is a pointer to the question's.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()], data].concat()
}

/// A server that answers one question with each of these packets.
async fn server(answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 512];
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        for answer in answers(&packet[..length]) {
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn an_address_is_its_own_and_a_name_the_systems() {
    let system = system(None);
    assert_eq!(system.addresses("10.9.0.4").await.unwrap(), ["10.9.0.4".parse::<IpAddr>().unwrap()]);
    let local = system.addresses("localhost").await.unwrap();
    assert!(!local.is_empty() && local.iter().all(IpAddr::is_loopback), "{local:?}");
}

#[tokio::test]
async fn a_given_server_is_asked_and_aliases_are_passed_over() {
    let server = server(|question| {
        assert_eq!(&question[12..], b"\x04pg-1\x05aiven\x04test\x00\x00\x01\x00\x01");
        let alias = record(5, b"\x03abc\xc0\x0c");
        let stale = [&[question[0] ^ 1], &reply(question, 0x8180, &[])[1..]].concat();
        vec![
            stale,
            vec![1, 2, 3],
            reply(question, 0x8180, &[&alias, &record(1, &[10, 9, 0, 4]), &record(1, &[10, 9, 0, 5])]),
        ]
    })
    .await;
    let found = system(Some(server)).addresses("pg-1.aiven.test.").await.unwrap();
    assert_eq!(found, ["10.9.0.4", "10.9.0.5"].map(|address| address.parse::<IpAddr>().unwrap()));
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_with_its_reason() {
    let cut = |question: &[u8]| {
        let mut packet = reply(question, 0x8180, &[&record(1, &[10, 9, 0, 4])]);
        packet.truncate(packet.len() - 1);
        vec![packet]
    };
    for (server, why) in [
        (server(|question| vec![reply(question, 0x8183, &[])]).await, "there is no such name"),
        (server(|question| vec![reply(question, 0x8182, &[])]).await, "the DNS server failed with code 2"),
        (server(|question| vec![reply(question, 0x8180, &[])]).await, "it has no address"),
        (server(cut).await, "the answer is cut off"),
    ] {
        let error = system(Some(server)).addresses("gone.test").await.unwrap_err();
        assert_eq!(error.to_string(), format!("gone.test does not resolve: {why}"));
    }
    for host in ["", "a..b", &"a".repeat(64), &"a.".repeat(200)] {
        let error = system(Some("127.0.0.1:9".parse().unwrap())).addresses(host).await.unwrap_err();
        assert_eq!(error.why, "it is no host name", "{host:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_waited_for_three_seconds_at_any_scale() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = Some(socket.local_addr().unwrap());
    for scale in [1.0, 60.0] {
        let before = tokio::time::Instant::now();
        let system = System::new(Arc::new(TokioClock::scaled(scale)), server);
        let error = system.addresses("pg.test").await.unwrap_err();
        assert_eq!(error.why, "no answer came within 3 s");
        assert_eq!(before.elapsed().as_secs(), 3);
    }
}

#[tokio::test]
async fn a_port_is_reached_where_something_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(system(None).connect(address).await, Reach::Reached);
    drop(listener);
    assert_eq!(system(None).connect(address).await, Reach::Refused);
}

#[tokio::test(start_paused = true)]
async fn what_never_answers_is_given_up() {
    assert_eq!(bounded(&TokioClock::new(), std::future::pending::<()>()).await, None);
    assert_eq!(bounded(&TokioClock::new(), async { 1 }).await, Some(1));
}

#[test]
fn errors_of_the_network_are_told_apart() {
    for (error, expected) in [
        (ErrorKind::ConnectionRefused, Reach::Refused),
        (ErrorKind::ConnectionReset, Reach::Refused),
        (ErrorKind::TimedOut, Reach::TimedOut),
        (ErrorKind::NetworkUnreachable, Reach::NoRoute),
        (ErrorKind::HostUnreachable, Reach::NoRoute),
        (ErrorKind::AddrNotAvailable, Reach::NoRoute),
        (ErrorKind::PermissionDenied, Reach::NoRoute),
    ] {
        assert_eq!(reach(error), expected, "{error}");
    }
}

proptest! {
    #[test]
    fn no_packet_is_too_odd_to_read(mut packet in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = dns::answer(7, &packet);
        // The same with a header that is believed.
        if packet.len() >= 12 {
            packet[..8].copy_from_slice(&[0, 7, 0x81, 0x80, 0, 1, 0, 2]);
            prop_assert!(dns::answer(7, &packet).is_some());
        }
    }
}
