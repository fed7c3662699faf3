//! For tests: a small service over loopback, and a client that speaks to it in raw bytes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ringstone_io::BufferPool;
use ringstone_io::net::{Gather, Listener};
use ringstone_io::runtime::{run_on_core, sleep, spawn};

use super::body::{Body, BodyError};
use super::client_address::{Client as Sender, TrustedProxies};
use super::connection::{HeadRefusal, Service, serve};
use super::context::{ConnectionContext, Deadlines};
use super::head::RequestHead;
use super::response::{ByteStream, NextPiece, Response, ResponseBody, StreamFailed};

pub(super) const BUFFER_BYTES: usize = 16 * 1024;
pub(super) const PATIENT: Duration = Duration::from_secs(10);
pub(super) const SHORT: Duration = Duration::from_millis(150);

pub(crate) fn patient() -> Deadlines {
    Deadlines { idle: PATIENT, head: PATIENT, body: PATIENT, write: PATIENT, drain: PATIENT }
}

pub(super) struct Echo {
    pool: BufferPool,
    context: ConnectionContext,
}

impl Echo {
    /// Reads the whole body through windows of one buffer.
    async fn read_all(&self, body: &mut Body<'_>) -> Result<Vec<u8>, BodyError> {
        let mut all = Vec::new();
        let mut buffer = self.pool.acquire().await;
        loop {
            // Not at the start of the buffer and not up to its end, so that a confusion of ranges shows.
            let (count, window) = body.read(buffer.window(7..BUFFER_BYTES - 9)).await?;
            assert_eq!(window.range(), 7..BUFFER_BYTES - 9);
            all.extend_from_slice(&window[..count]);
            if count < window.len() {
                return Ok(all);
            }
            buffer = window.into_buffer();
        }
    }

    fn stream(&self, length: u64, yields: u64) -> Response {
        let source = Letters { pool: self.pool.clone(), left: yields };
        Response::new(200).body(ResponseBody::Stream { length, source: Box::new(source) })
    }
}

impl Service for Echo {
    async fn call(&self, head: RequestHead, body: &mut Body<'_>, sender: Sender) -> Response {
        let announced = body.length().map_or("chunked".to_owned(), |length| length.to_string());
        let read = match head.target() {
            b"/echo" => self.read_all(body).await,
            b"/collect" => body.collect(1000).await,
            b"/ignore" => return Response::new(403).body(ResponseBody::Bytes(b"no".to_vec())),
            b"/sender" => Ok(format!("{} {}", sender.address, sender.is_secure).into_bytes()),
            b"/close" => return Response::new(200).closing(),
            b"/drain" => {
                self.context.start_draining();
                return Response::new(200);
            }
            b"/204" => return Response::new(204).body(ResponseBody::Bytes(b"never sent".to_vec())),
            b"/stream" => return self.stream(50_000, 50_000),
            b"/short" => return self.stream(50_000, 20_000),
            b"/long" => return self.stream(20_000, 50_000),
            b"/large" => return Response::new(200).body(ResponseBody::Bytes(vec![b'z'; 3_000_000])),
            _ => Ok(head.target().to_vec()),
        };
        let response = match read {
            Ok(bytes) => Response::new(200).body(ResponseBody::Bytes(bytes)),
            Err(error) => Response::new(400).body(ResponseBody::Bytes(format!("{error:?}").into_bytes())),
        };
        response.header("x-length", announced)
    }

    fn refuse(&self, refusal: HeadRefusal, _: Option<&RequestHead>, _: Sender) -> Response {
        Response::new(refusal.status()).body(ResponseBody::Bytes(format!("{refusal:?}").into_bytes()))
    }
}

/// Yields `left` letters in pieces of at most a buffer, then fails.
pub(super) struct Letters {
    pool: BufferPool,
    left: u64,
}

impl ByteStream for Letters {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(async {
            let count = self.left.min(BUFFER_BYTES as u64);
            if count == 0 {
                return Err(StreamFailed);
            }
            self.left -= count;
            let mut buffer = self.pool.acquire().await;
            let count = count as usize;
            buffer[..count].fill(b'x');
            let half = count / 2;
            Ok(Some(Gather::new(Vec::new(), buffer, vec![0..half, half..count])))
        })
    }
}

/// Serves as many connections as `clients` opens, and ends when all of them have ended.
pub(super) fn serve_while(deadlines: Deadlines, connections: usize, clients: impl FnOnce(SocketAddr)) {
    serve_behind(TrustedProxies::default(), deadlines, connections, clients);
}

/// As [`serve_while`], trusting proxies.
pub(super) fn serve_behind(
    proxies: TrustedProxies,
    deadlines: Deadlines,
    connections: usize,
    clients: impl FnOnce(SocketAddr),
) {
    let (sender, receiver) = mpsc::channel();
    let server = thread::spawn(move || {
        run_on_core(None, async move {
            let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
            sender.send(listener.local_addr()).unwrap();
            let context = ConnectionContext::behind(proxies, deadlines);
            let pool = BufferPool::new(2, BUFFER_BYTES).unwrap();
            let echo = Rc::new(Echo { pool: pool.clone(), context: context.clone() });
            let mut tasks = Vec::new();
            for _ in 0..connections {
                let (stream, peer) = listener.accept().await.unwrap();
                let (echo, context) = (Rc::clone(&echo), context.clone());
                tasks.push(spawn(async move { serve(stream, peer, &*echo, &context).await }));
            }
            for task in tasks {
                task.await;
            }
            assert_eq!(context.open_connections(), 0);
            // A read that was given up returns its buffer when the kernel lets go of it.
            let patience = Instant::now();
            while pool.available() < pool.capacity() {
                assert!(patience.elapsed() < PATIENT, "a buffer was lost");
                sleep(Duration::from_millis(1)).await;
            }
        })
        .unwrap();
    });
    clients(receiver.recv().unwrap());
    server.join().unwrap();
}

pub(super) fn serve_one(deadlines: Deadlines, client: impl FnOnce(&mut Client)) {
    serve_while(deadlines, 1, |address| client(&mut Client::connect(address)));
}

pub(crate) struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        stream.set_write_timeout(Some(PATIENT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends until the server takes no more.
    pub(super) fn send_while_taken(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(super) fn finish_sending(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads more; `false` at the end of the connection.
    fn more(&mut self) -> bool {
        let mut bytes = [0; 8192];
        match self.stream.read(&mut bytes) {
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                count > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.more(), "the connection ended inside a head: {:?}", self.received);
        }
    }

    pub(super) fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let body = self.bytes(length);
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.more(), "the connection ended inside a body");
        }
        self.received.drain(..length).collect()
    }

    pub(super) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Reads to the end of the connection and returns what came.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.received)
    }

    pub(super) fn assert_ended(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "");
    }

    pub(super) fn assert_alive(&mut self) {
        assert_eq!(self.ask(get("/alive")).body, b"/alive");
    }
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn says_close(&self) -> bool {
        self.head.contains("\r\nConnection: close\r\n")
    }
}

pub(super) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

pub(super) fn put(target: &str, fields: &str) -> String {
    format!("PUT {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
}

pub(super) fn letters(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}

pub(super) fn chunked(payload: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in payload.chunks(chunk_bytes) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\nx-trailer: a\r\n\r\n");
    body
}
