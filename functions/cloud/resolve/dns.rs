//! One question to one DNS server over UDP: the IPv4 addresses of a name (RFC 1035 §4). Just enough for the server of emulated clouds.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

const A: u16 = 1;
const IN: u16 = 1;

/// The longest answer over UDP without extensions is 512 bytes; a longer one is read as far as it goes.
const LONGEST: usize = 4096;

/// Asks, and waits for as long as it takes.
pub(super) async fn look_up(server: SocketAddr, host: &str) -> io::Result<Vec<IpAddr>> {
    let id = uuid::Uuid::new_v4().as_fields().1;
    let question = question(id, host).ok_or_else(|| error(ErrorKind::InvalidInput, "it is no host name"))?;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // A connected socket takes packets of this server only.
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut packet = vec![0; LONGEST];
    loop {
        let length = socket.recv(&mut packet).await?;
        if let Some(answer) = answer(id, packet.get(..length).unwrap_or_default()) {
            return answer;
        }
    }
}

/// A question for A records, recursion desired; `None` for what cannot be a name.
pub(super) fn question(id: u16, host: &str) -> Option<Vec<u8>> {
    let host = host.trim_end_matches('.');
    if host.is_empty() || host.len() > 253 {
        return None;
    }
    let mut packet = Vec::with_capacity(host.len() + 18);
    for word in [id, 0x0100, 1, 0, 0, 0] {
        packet.extend(word.to_be_bytes());
    }
    for label in host.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        packet.push(length);
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    packet.extend(A.to_be_bytes());
    packet.extend(IN.to_be_bytes());
    Some(packet)
}

/// What a packet answers; `None` if it is no answer to this question, or cut off in its header.
pub(super) fn answer(id: u16, packet: &[u8]) -> Option<io::Result<Vec<IpAddr>>> {
    let mut rest = Packet(packet);
    let [theirs, flags, questions, answers, _, _] = [(); 6].map(|()| rest.word());
    if theirs? != id || flags? & 0x8000 == 0 {
        return None;
    }
    Some(match flags? & 0x000f {
        0 => rest.addresses(questions?, answers?).ok_or_else(|| error(ErrorKind::InvalidData, "the answer is cut off")),
        3 => Err(error(ErrorKind::NotFound, "there is no such name")),
        code => Err(io::Error::other(format!("the DNS server failed with code {code}"))),
    })
}

fn error(kind: ErrorKind, why: &'static str) -> io::Error {
    io::Error::new(kind, why)
}

/// What is left of a packet.
struct Packet<'a>(&'a [u8]);

impl<'a> Packet<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Labels up to an empty one or a pointer to those of an earlier name.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.take(1)?[0] {
                0 => return Some(()),
                pointer if pointer >= 0xc0 => return self.take(1).map(drop),
                length => drop(self.take(length.into())?),
            }
        }
    }

    /// The A records behind the questions, aliases on the way to them skipped.
    fn addresses(mut self, questions: u16, answers: u16) -> Option<Vec<IpAddr>> {
        for _ in 0..questions {
            self.skip_name()?;
            self.take(4)?;
        }
        let mut addresses = Vec::new();
        for _ in 0..answers {
            self.skip_name()?;
            let (kind, class, _ttl, length) = (self.word()?, self.word()?, self.take(4)?, self.word()?);
            let data = self.take(length.into())?;
            if let (A, IN, Ok(octets)) = (kind, class, <[u8; 4]>::try_from(data)) {
                addresses.push(Ipv4Addr::from(octets).into());
            }
        }
        Some(addresses)
    }
}
