//! A name server on 127.0.0.1 for the hosts of the emulated services: A records of what [`World::resolve`] knows,
//! NXDOMAIN for all else (RFC 1035, over UDP only: no answer of ours is long).
//!
//! [`World::resolve`]: super::World::resolve

use super::clock;
use super::server::{Shared, lock};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;

const HEADER: usize = 12;
const FORMAT_ERROR: u8 = 1;
const NAME_ERROR: u8 = 3;
const NOT_IMPLEMENTED: u8 = 4;
/// Seconds that an answer may be kept: a test that changes an address wants to see it.
const TTL: u32 = 1;

/// Answers until it is aborted.
pub(crate) async fn serve(shared: Arc<Shared>, socket: UdpSocket) {
    let mut buffer = [0u8; 512];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            // The report of an earlier answer that nobody took.
            clock::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let answer = answer(&buffer[..length], |host| lock(&shared.world).resolve(host));
        if let Some(answer) = answer {
            // Who asks has gone: it will ask again, if at all.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// The answer to one message; none to what is no question.
fn answer(message: &[u8], resolve: impl Fn(&str) -> Option<Vec<Ipv4Addr>>) -> Option<Vec<u8>> {
    let header = message.get(..HEADER)?;
    let is_answer = header[2] & 0x80 != 0;
    if is_answer {
        return None;
    }
    let opcode = header[2] & 0x78;
    let one_question = header[4..6] == [0, 1];
    let Some((name, end)) = name(message).filter(|_| one_question) else { return Some(refusal(header, FORMAT_ERROR)) };
    let Some(kind) = message.get(end..end + 4) else { return Some(refusal(header, FORMAT_ERROR)) };
    if opcode != 0 {
        return Some(refusal(header, NOT_IMPLEMENTED));
    }
    let found = resolve(&name);
    let code = if found.is_some() { 0 } else { NAME_ERROR };
    let addresses = found.filter(|_| kind == [0, 1, 0, 1]).unwrap_or_default();
    let count = u16::try_from(addresses.len()).ok()?;
    let mut answer = reply(header, code, 1, count);
    // As it was asked: resolvers compare the very bytes, the case of letters included.
    answer.extend(&message[HEADER..end + 4]);
    for address in addresses {
        // A pointer to the name in the question; type A, class IN.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1]);
        answer.extend(TTL.to_be_bytes());
        answer.extend([0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}

/// The name in the question, and where it ends; questions have no pointers.
fn name(message: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEADER);
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        let label = message.get(at..at + length).filter(|_| length < 64)?;
        labels.push(String::from_utf8(label.to_vec()).ok()?);
        at += length;
    }
}

fn refusal(header: &[u8], code: u8) -> Vec<u8> {
    reply(header, code, 0, 0)
}

/// A header of ours: an authoritative answer that recursed as far as it was asked to.
fn reply(header: &[u8], code: u8, questions: u16, answers: u16) -> Vec<u8> {
    let mut reply = vec![header[0], header[1], 0x84 | (header[2] & 0x79), 0x80 | code];
    reply.extend(questions.to_be_bytes());
    reply.extend(answers.to_be_bytes());
    reply.extend([0; 4]);
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(host: &str, kind: u8) -> Vec<u8> {
        let mut message = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in host.split('.') {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend(label.as_bytes());
        }
        message.extend([0, 0, kind, 0, 1]);
        message
    }

    fn known(host: &str) -> Option<Vec<Ipv4Addr>> {
        (host == "pg.Example").then(|| vec![Ipv4Addr::new(10, 0, 0, 4), Ipv4Addr::new(10, 0, 0, 5)])
    }

    #[test]
    fn an_answer_repeats_the_question_and_carries_every_address() {
        let question = ask("pg.Example", 1);
        let answer = answer(&question, known).unwrap();
        assert_eq!(answer[..12], [0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]);
        assert_eq!(answer[12..question.len()], question[12..]);
        let record = |last: u8| [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, last];
        assert_eq!(answer[question.len()..], [record(4), record(5)].concat());
    }

    #[test]
    fn another_type_of_a_known_name_is_empty_and_an_unknown_name_is_an_error() {
        let answer = |message: &[u8]| answer(message, known).unwrap();
        let aaaa = answer(&ask("pg.Example", 28));
        assert_eq!((aaaa[3] & 15, &aaaa[4..8]), (0, &[0, 1, 0, 0][..]));
        let nobody = answer(&ask("nobody.Example", 1));
        assert_eq!((nobody[3] & 15, &nobody[4..8]), (NAME_ERROR, &[0, 1, 0, 0][..]));
    }

    #[test]
    fn what_is_no_question_gets_no_address() {
        let mut response = ask("pg.Example", 1);
        response[2] |= 0x80;
        assert_eq!(answer(&response, known), None);
        assert_eq!(answer(&response[..11], known), None);
        let code = |message: &[u8]| answer(message, known).unwrap()[3] & 15;
        let question = ask("pg.Example", 1);
        assert_eq!(code(&question[..question.len() - 1]), FORMAT_ERROR);
        assert_eq!(code(&question[..15]), FORMAT_ERROR);
        let mut update = question.clone();
        update[2] |= 0x28;
        assert_eq!(code(&update), NOT_IMPLEMENTED);
        let mut two = question;
        two[5] = 2;
        assert_eq!(code(&two), FORMAT_ERROR);
    }
}
