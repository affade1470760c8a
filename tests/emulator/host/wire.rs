//! HTTP/1.1 to the handler, written as the host writes it: header order and case, chunks, one connection for each concurrent POST.
//!
//! By hand, because general clients lower-case header names and choose their own chunks, and
//! the recordings of the real host are compared field by field.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Bodies arrive in pieces of so many UTF-16 code units: the host's writer fills a buffer of .NET
/// characters, encodes it and sends that, so a piece of text that is not ASCII has more bytes.
const CHUNK: usize = 1024;

/// .NET's handler sends a request without a body so many times more when a connection ends before a
/// byte of the answer; one with a body never.
const RETRIES: usize = 3;

/// As many redirects as .NET's HttpClient follows.
const REDIRECTS: usize = 50;

pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: String,
    /// After `Host`, in this order.
    pub(super) headers: Vec<(&'a str, String)>,
    /// After `Transfer-Encoding`, but before `Content-Length`: where the host puts them.
    pub(super) content: Vec<(&'a str, String)>,
    pub(super) body: Option<&'a str>,
    pub(super) chunked: bool,
}

#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    #[cfg(test)]
    pub(super) fn for_test(status: u16, headers: Vec<(String, String)>, body: &str) -> Self {
        Self { status, reason: String::new(), headers, body: body.as_bytes().to_vec() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A W3C trace context header of its own for each request, as Application Insights adds.
pub(super) fn traceparent() -> (&'static str, String) {
    let (trace, span) = (uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple().to_string());
    ("traceparent", format!("00-{trace}-{}-00", &span[..16]))
}

/// Connections to one handler process.
pub(super) struct Wire {
    port: u16,
    idle: Mutex<Vec<TcpStream>>,
}

impl Wire {
    pub(super) fn new(port: u16) -> Self {
        Self { port, idle: Mutex::new(Vec::new()) }
    }

    /// Sends, following redirects: 307 and 308 repeat the request, others become a GET.
    pub(super) async fn send(&self, mut request: Request<'_>) -> Result<Response> {
        for _ in 0..REDIRECTS {
            let response = self.patiently(&request).await?;
            let Some(path) = redirect(&response) else {
                return Ok(response);
            };
            request.path = path;
            if !matches!(response.status, 307 | 308) {
                request.method = "GET";
                request.body = None;
                request.content.retain(|(name, _)| *name != "Content-Type");
            }
        }
        Err(Error::other("too many redirects"))
    }

    async fn patiently(&self, request: &Request<'_>) -> Result<Response> {
        for _ in 0..RETRIES {
            match self.once(request).await {
                Err(error) if request.body.is_none() && is_early_end(&error) => {}
                answered => return answered,
            }
        }
        self.once(request).await
    }

    async fn once(&self, request: &Request<'_>) -> Result<Response> {
        let stream = match self.reuse() {
            Some(stream) => stream,
            None => TcpStream::connect(("127.0.0.1", self.port)).await?,
        };
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(&self.bytes(request)).await?;
        let (response, keep) = read(&mut stream).await?;
        if keep && stream.buffer().is_empty() {
            self.idle().push(stream.into_inner());
        }
        Ok(response)
    }

    /// An idle connection on which the handler has neither spoken nor hung up.
    fn reuse(&self) -> Option<TcpStream> {
        loop {
            let stream = self.idle().pop()?;
            match stream.try_read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(stream),
                _ => {}
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self, request: &Request<'_>) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", request.method, request.path, self.port);
        let line = |(name, value): &(&str, String)| format!("{name}: {value}\r\n");
        head.extend(request.headers.iter().map(line));
        let framing = framing(request);
        let content: String = request.content.iter().map(line).collect();
        head += &if request.chunked { framing + &content } else { content + &framing };
        let mut bytes = (head + "\r\n").into_bytes();
        match request.body {
            Some(body) if request.chunked => chunks(body, &mut bytes),
            Some(body) => bytes.extend_from_slice(body.as_bytes()),
            None => {}
        }
        bytes
    }
}

fn framing(request: &Request<'_>) -> String {
    match request.body {
        Some(_) if request.chunked => "Transfer-Encoding: chunked\r\n".to_owned(),
        Some(body) => format!("Content-Length: {}\r\n", body.len()),
        None => String::new(),
    }
}

fn chunks(body: &str, bytes: &mut Vec<u8>) {
    let (mut start, mut units) = (0, 0);
    for (at, character) in body.char_indices() {
        // A pair of surrogates that does not fit whole waits for the next piece, as .NET's encoder has it.
        if units + character.len_utf16() > CHUNK {
            chunk(&body[start..at], bytes);
            // The first half of the pair was in the buffer before.
            (start, units) =
                (at, if units < CHUNK { units + character.len_utf16() - CHUNK } else { character.len_utf16() });
            continue;
        }
        units += character.len_utf16();
    }
    if start < body.len() {
        chunk(&body[start..], bytes);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
}

fn chunk(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("{:X}\r\n{text}\r\n", text.len()).as_bytes());
}

fn is_early_end(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

fn redirect(response: &Response) -> Option<String> {
    if !matches!(response.status, 300..=303 | 307 | 308) {
        return None;
    }
    let location = response.header("Location")?;
    // The handler can only redirect to itself; somebody else's address would not be followed here.
    Some(match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => location.to_owned(),
    })
}

async fn read(stream: &mut BufReader<TcpStream>) -> Result<(Response, bool)> {
    loop {
        let (mut response, version) = head(stream).await?;
        if (100..200).contains(&response.status) {
            continue;
        }
        let connection = response.header("Connection").unwrap_or_default().to_ascii_lowercase();
        let mut keep = if version == "HTTP/1.0" { connection == "keep-alive" } else { connection != "close" };
        let chunked = response.header("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        if chunked {
            response.body = chunked_body(stream).await?;
        } else if matches!(response.status, 204 | 304) {
            // These have no body (RFC 9110, section 6.4.1).
        } else if let Some(length) = response.header("Content-Length").and_then(|text| text.parse().ok()) {
            response.body = vec![0; length];
            stream.read_exact(&mut response.body).await?;
        } else {
            stream.read_to_end(&mut response.body).await?;
            keep = false;
        }
        return Ok((response, keep));
    }
}

async fn head(stream: &mut BufReader<TcpStream>) -> Result<(Response, String)> {
    let status = line(stream).await?;
    let mut parts = status.splitn(3, ' ');
    let version = parts.next().unwrap_or_default().to_owned();
    let code = parts.next().and_then(|code| code.parse().ok()).ok_or_else(|| bad("no status line"))?;
    let reason = parts.next().unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        let header = line(stream).await?;
        if header.is_empty() {
            return Ok((Response { status: code, reason, headers, body: Vec::new() }, version));
        }
        let (name, value) = header.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

async fn chunked_body(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(stream).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("a chunk without a size"))?;
        if size == 0 {
            while !line(stream).await?.is_empty() {}
            return Ok(body);
        }
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).await?;
        line(stream).await?;
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut bytes = Vec::new();
    if stream.read_until(b'\n', &mut bytes).await? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the handler closed the connection without an answer"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

fn bad(problem: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("not an HTTP answer: {problem}"))
}
