//! A client of HTTP/1.1 that costs little: blocking, one connection, no allocation for an answer.
//!
//! It shares its two cores with the server it measures, so that every instruction here is taken from the figure. It
//! reads what the measured servers send, no more: lengths in `Content-Length` or chunks, no trailers.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;

/// Larger than any page, and large enough that a stream takes few reads.
const BUFFER_BYTES: usize = 512 << 10;
/// Bound of one whole answer; streams have none but their reader's.
const BODY_BYTES_MAX: usize = 64 << 20;
/// A server that is silent for so long hangs.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A request, written once and sent many times.
#[derive(Clone, Debug)]
pub struct Request(Vec<u8>);

impl Request {
    /// `GET path` with these further header fields.
    pub fn get(path: &str, fields: &[(&str, &str)]) -> Self {
        Self::new("GET", path, fields, "")
    }

    /// `POST path` of JSON, with an API key where there is one.
    pub fn post(path: &str, key: Option<&str>, json: &str) -> Self {
        let bearer = key.map(bearer);
        let mut fields = vec![("content-type", "application/json")];
        fields.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        Self::new("POST", path, &fields, json)
    }

    /// Its length, head and body.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    fn new(method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        Self([&text, "\r\n", body].concat().into_bytes())
    }
}

/// The value of `Authorization` for an API key.
pub fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

/// One answer.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// Its status.
    pub status: u16,
    /// Its whole body.
    pub body: &'a [u8],
}

impl<'a> Response<'a> {
    fn with_status(self, status: u16) -> Result<&'a [u8]> {
        if self.status != status {
            bail!("status {} found where {status} is expected: {}", self.status, excerpt(self.body));
        }
        Ok(self.body)
    }
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    framing: Framing,
    /// Bytes of the head.
    len: usize,
}

/// A connection that is kept.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What has been received and not been read yet.
    unread: std::ops::Range<usize>,
    /// A body that came in chunks.
    joined: Vec<u8>,
}

impl Client {
    /// Connects to a server on this machine, and to none elsewhere.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        assert!(address.ip().is_loopback(), "{address} is not on this machine: no load leaves it");
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        Ok(Self { stream, buffer: vec![0; 16 << 10], unread: 0..0, joined: Vec::new() })
    }

    /// Sends a request and reads its whole answer.
    ///
    /// # Errors
    /// Where the connection breaks or the answer is not well formed.
    pub fn ask(&mut self, request: &Request) -> Result<Response<'_>> {
        self.stream.write_all(&request.0).context("sending")?;
        self.receive_answer()
    }

    /// Sends `POST path` of JSON in pieces, as chunks. The answer, which may take as long as `patience`, is read by
    /// [`Client::answer`]. Says how many bytes the pieces had.
    ///
    /// # Errors
    /// Where the connection breaks or a piece is not to be had.
    pub fn send_pieces(
        &mut self,
        path: &str,
        key: Option<&str>,
        pieces: impl Iterator<Item = Result<String>>,
        patience: Duration,
    ) -> Result<usize> {
        self.stream.set_read_timeout(Some(patience))?;
        let key = key.map(bearer).map(|bearer| format!("authorization: {bearer}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{key}transfer-encoding: chunked\r\n\r\n"
        );
        self.stream.write_all(head.as_bytes()).context("sending")?;
        let mut bytes = 0;
        for piece in pieces {
            let piece = piece?;
            bytes += piece.len();
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            self.stream.write_all(chunk.as_bytes()).context("sending a piece")?;
        }
        self.stream.write_all(b"0\r\n\r\n").context("sending the end")?;
        Ok(bytes)
    }

    /// The answer to what was sent; its status must be `status`.
    ///
    /// # Errors
    /// As of [`Client::expect`].
    pub fn answer(&mut self, status: u16) -> Result<&[u8]> {
        self.receive_answer()?.with_status(status)
    }

    fn receive_answer(&mut self) -> Result<Response<'_>> {
        let head = self.head()?;
        match head.framing {
            Framing::Length(len) => {
                ensure!(len <= BODY_BYTES_MAX, "a body of {len} bytes; at most {BODY_BYTES_MAX}");
                while self.unread.len() < len {
                    self.receive(len)?;
                }
                let start = self.unread.start;
                self.unread.start += len;
                let body = self.buffer.get(start..start + len).context("the body's end")?;
                Ok(Response { status: head.status, body })
            }
            Framing::Chunked => {
                let mut joined = std::mem::take(&mut self.joined);
                joined.clear();
                self.chunks(|bytes| {
                    ensure!(joined.len() + bytes.len() <= BODY_BYTES_MAX, "a body over {BODY_BYTES_MAX} bytes");
                    joined.extend_from_slice(bytes);
                    Ok(())
                })?;
                self.joined = joined;
                Ok(Response { status: head.status, body: &self.joined })
            }
        }
    }

    /// As [`Client::ask`], and the status must be `status`.
    ///
    /// # Errors
    /// The same, and where the status is another: with what the server says to it.
    pub fn expect(&mut self, request: &Request, status: u16) -> Result<&[u8]> {
        self.ask(request)?.with_status(status)
    }

    /// Sends a request and gives the body to `sink` as it comes, in constant memory.
    ///
    /// # Errors
    /// As of [`Client::expect`] with 200, and those of `sink`.
    pub fn stream(&mut self, request: &Request, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.buffer.resize(BUFFER_BYTES, 0);
        self.stream.write_all(&request.0).context("sending")?;
        let head = self.head()?;
        ensure!(head.status == 200, "status {} found where 200 is expected", head.status);
        match head.framing {
            Framing::Length(len) => self.give(len, &mut sink),
            Framing::Chunked => self.chunks(sink),
        }
    }

    fn head(&mut self) -> Result<Head> {
        loop {
            if let Some(head) = parse_head(self.unread_bytes())? {
                self.unread.start += head.len;
                return Ok(head);
            }
            self.receive(1)?;
        }
    }

    fn chunks(&mut self, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        loop {
            let len = self.chunk_len()?;
            if len == 0 {
                return self.line_end();
            }
            self.give(len, &mut sink)?;
            self.line_end()?;
        }
    }

    fn chunk_len(&mut self) -> Result<usize> {
        loop {
            if let Some(line) = memchr::memchr(b'\n', self.unread_bytes()) {
                let text = self.unread_bytes().get(..line).unwrap_or_default();
                let text = std::str::from_utf8(text).unwrap_or_default().trim_end();
                let len = usize::from_str_radix(text, 16).with_context(|| format!("a chunk's length: {text:?}"))?;
                self.unread.start += line + 1;
                return Ok(len);
            }
            ensure!(self.unread.len() < 32, "a chunk's length does not end");
            self.receive(1)?;
        }
    }

    fn line_end(&mut self) -> Result<()> {
        while self.unread.len() < 2 {
            self.receive(1)?;
        }
        ensure!(self.unread_bytes().starts_with(b"\r\n"), "a chunk does not end where it says");
        self.unread.start += 2;
        Ok(())
    }

    /// Gives the next `len` bytes away, in pieces.
    fn give(&mut self, mut len: usize, sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while len > 0 {
            if self.unread.is_empty() {
                self.receive(1)?;
            }
            let piece = self.unread.len().min(len);
            sink(self.unread_bytes().get(..piece).unwrap_or_default())?;
            self.unread.start += piece;
            len -= piece;
        }
        Ok(())
    }

    fn unread_bytes(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// Receives at least one byte more, with room for `wanted` unread ones at least.
    fn receive(&mut self, wanted: usize) -> Result<()> {
        if self.unread.is_empty() {
            self.unread = 0..0;
        } else if self.unread.end == self.buffer.len() || self.unread.start + wanted > self.buffer.len() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.buffer.len() < wanted.max(self.unread.len() + 1) {
            self.buffer.resize(wanted.max(2 * self.buffer.len()), 0);
        }
        let room = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        let received = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received.context("receiving")?,
            }
        };
        ensure!(received > 0, "the server hung up");
        self.unread.end += received;
        Ok(())
    }
}

/// The start of a body, for a message.
pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..body.len().min(300)).unwrap_or_default()).into_owned()
}

/// The head at the start of `bytes`; none while it is not complete.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        ensure!(bytes.len() < 16 << 10, "the head of an answer does not end");
        return Ok(None);
    };
    let lines = bytes.get(..end).unwrap_or_default();
    let status = lines.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status = status.with_context(|| format!("not a status line: {}", excerpt(lines)))?;
    let mut framing = None;
    for line in lines.split(|byte| *byte == b'\n').skip(1) {
        if let Some(value) = field(line, b"content-length:") {
            let text = std::str::from_utf8(value).unwrap_or_default().trim();
            let len = text.parse().with_context(|| format!("content-length: {text:?}"))?;
            framing = Some(Framing::Length(len));
        } else if field(line, b"transfer-encoding:").is_some() {
            framing = Some(Framing::Chunked);
        }
    }
    let framing = framing.with_context(|| format!("an answer that does not say how long it is, status {status}"))?;
    Ok(Some(Head { status, framing, len: end + 4 }))
}

/// The value of a field if it has this name, which ends in a colon.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A server that sends these pieces, each in a packet of its own.
    fn serve(pieces: &[&'static [u8]]) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let pieces = pieces.to_vec();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            for piece in pieces {
                stream.write_all(piece).unwrap();
                thread::yield_now();
            }
        });
        Client::connect(address).unwrap()
    }

    #[test]
    fn an_answer_is_read_however_it_is_cut() {
        let mut client = serve(&[b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n\r", b"\nhel", b"lo"]);
        let response = client.ask(&Request::get("/", &[])).unwrap();
        assert_eq!((response.status, response.body), (200, &b"hello"[..]));
    }

    #[test]
    fn chunks_are_joined_and_the_next_answer_begins_behind_them() {
        let mut client = serve(&[
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r",
            b"\nhel\r\n2\r\nl",
            b"o\r\n0\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        ]);
        assert_eq!(client.expect(&Request::get("/", &[]), 200).unwrap(), b"hello");
        assert_eq!(client.ask(&Request::get("/", &[])).unwrap().status, 404);
    }

    #[test]
    fn a_stream_is_given_piece_by_piece() {
        let mut client =
            serve(&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n01234", b"56789\r\n0\r\n\r\n"]);
        let mut stream = Vec::new();
        let sink = |bytes: &[u8]| {
            stream.extend_from_slice(bytes);
            Ok(())
        };
        client.stream(&Request::get("/", &[]), sink).unwrap();
        assert_eq!(stream, b"0123456789");
    }

    #[test]
    fn answers_that_break_off_or_do_not_say_their_length_are_refused() {
        for (pieces, message) in [
            (&[&b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"[..]][..], "the server hung up"),
            (&[b"HTTP/1.1 200 OK\r\n\r\nhello"], "does not say how long it is"),
            (&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"], "a chunk's length"),
            (&[b"SSH-2.0\r\n\r\n"], "not a status line"),
        ] {
            let error = serve(pieces).ask(&Request::get("/", &[])).unwrap_err();
            assert!(format!("{error:#}").contains(message), "{error:#}");
        }
    }

    #[test]
    #[should_panic(expected = "no load leaves it")]
    fn no_other_machine_is_contacted() {
        let _ = Client::connect("192.0.2.1:80".parse().unwrap());
    }
}
