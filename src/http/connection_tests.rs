//! A small service over loopback, spoken to in raw bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ringstone_io::BufferPool;
use ringstone_io::net::{Gather, Listener};
use ringstone_io::runtime::{run_on_core, sleep, spawn};

use super::*;
use crate::http::body::BodyError;
use crate::http::context::Deadlines;
use crate::http::response::{NextPiece, ResponseBody};

const BUFFER_BYTES: usize = 16 * 1024;
const PATIENT: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(150);

fn patient() -> Deadlines {
    Deadlines { idle: PATIENT, head: PATIENT, body: PATIENT, write: PATIENT, drain: PATIENT }
}

struct Echo {
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
    async fn call(&self, head: RequestHead, body: &mut Body<'_>, _: SocketAddr) -> Response {
        let announced = body.length().map_or("chunked".to_owned(), |length| length.to_string());
        let read = match head.target() {
            b"/echo" => self.read_all(body).await,
            b"/collect" => body.collect(1000).await,
            b"/ignore" => return Response::new(403).body(ResponseBody::Bytes(b"no".to_vec())),
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

    fn refuse(&self, refusal: HeadRefusal) -> Response {
        Response::new(refusal.status()).body(ResponseBody::Bytes(format!("{refusal:?}").into_bytes()))
    }
}

/// Yields `left` letters in pieces of at most a buffer, then fails.
struct Letters {
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
fn serve_while(deadlines: Deadlines, connections: usize, clients: impl FnOnce(SocketAddr)) {
    let (sender, receiver) = mpsc::channel();
    let server = thread::spawn(move || {
        run_on_core(None, async move {
            let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
            sender.send(listener.local_addr()).unwrap();
            let context = ConnectionContext::new(deadlines);
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

fn serve_one(deadlines: Deadlines, client: impl FnOnce(&mut Client)) {
    serve_while(deadlines, 1, |address| client(&mut Client::connect(address)));
}

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        stream.set_write_timeout(Some(PATIENT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
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

    fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.received.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.more(), "the connection ended inside a head: {:?}", self.received);
        }
    }

    fn answer(&mut self) -> Answer {
        let head = self.head();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        while self.received.len() < length {
            assert!(self.more(), "the connection ended inside a body");
        }
        let body = self.received.drain(..length).collect();
        Answer { status: head[9..12].parse().unwrap(), head, body }
    }

    fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// Reads to the end of the connection and returns what came.
    fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.received)
    }

    fn assert_ended(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "");
    }

    fn assert_alive(&mut self) {
        assert_eq!(self.ask(get("/alive")).body, b"/alive");
    }
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn says_close(&self) -> bool {
        self.head.contains("\r\nConnection: close\r\n")
    }
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn put(target: &str, fields: &str) -> String {
    format!("PUT {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n")
}

fn letters(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}

fn chunked(payload: &[u8], chunk_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in payload.chunks(chunk_bytes) {
        body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\nx-trailer: a\r\n\r\n");
    body
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    serve_one(patient(), |client| {
        for target in ["/a", "/b", "/c"] {
            let answer = client.ask(get(target));
            assert_eq!((answer.status, answer.text()), (200, target));
            assert!(!answer.head.contains("Connection"));
        }
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    serve_one(patient(), |client| {
        let mut requests = Vec::new();
        for index in 0..50 {
            requests.extend_from_slice(get(&format!("/{index}")).as_bytes());
            requests.extend_from_slice(put("/echo", "Content-Length: 4\r\n").as_bytes());
            requests.extend_from_slice(format!("{index:04}").as_bytes());
            requests.extend_from_slice(put("/echo", "Transfer-Encoding: chunked\r\n").as_bytes());
            requests.extend_from_slice(&chunked(format!("c{index}").as_bytes(), 1));
            requests.extend_from_slice(put("/collect", "Transfer-Encoding: chunked\r\n").as_bytes());
            requests.extend_from_slice(&chunked(format!("d{index}").as_bytes(), 2));
        }
        client.send(requests);
        for index in 0..50 {
            for expected in
                [format!("/{index}"), format!("{index:04}"), format!("c{index}"), format!("d{index}")]
            {
                assert_eq!(client.answer().text(), expected);
            }
        }
    });
}

#[test]
fn a_head_may_come_byte_by_byte() {
    serve_one(patient(), |client| {
        for byte in put("/echo", "Content-Length: 3\r\n").bytes().chain(*b"abc") {
            client.send([byte]);
        }
        assert_eq!(client.answer().text(), "abc");
        client.assert_alive();
    });
}

#[test]
fn an_empty_line_after_a_body_starts_no_request() {
    let deadlines = Deadlines { head: SHORT, ..patient() };
    serve_one(deadlines, |client| {
        assert_eq!(client.ask(put("/echo", "Content-Length: 1\r\n") + "a\r\n").text(), "a");
        thread::sleep(2 * SHORT);
        client.assert_alive();
    });
}

#[test]
fn bodies_arrive_whole_in_every_framing() {
    serve_one(patient(), |client| {
        for count in [0, 1, 5_000, BUFFER_BYTES - 16, BUFFER_BYTES, 300_000] {
            let payload = letters(count);
            client.send(put("/echo", &format!("Content-Length: {count}\r\n")));
            client.send(&payload);
            let answer = client.answer();
            assert!(answer.body == payload && answer.head.contains(&format!("x-length: {count}\r\n")));
            for chunk_bytes in [7, 4096, 100_000] {
                client.send(put("/echo", "Transfer-Encoding: chunked\r\n"));
                client.send(chunked(&payload, chunk_bytes));
                let answer = client.answer();
                assert!(answer.body == payload && answer.head.contains("x-length: chunked\r\n"));
            }
        }
        client.assert_alive();
    });
}

#[test]
fn a_chunked_body_may_come_in_pieces() {
    serve_one(patient(), |client| {
        client.send(put("/echo", "Transfer-Encoding: chunked\r\n"));
        for piece in chunked(&letters(60), 13).chunks(1) {
            client.send(piece);
        }
        assert_eq!(client.answer().body, letters(60));
        client.assert_alive();
    });
}

#[test]
fn continue_is_sent_at_the_first_read_and_once() {
    serve_one(patient(), |client| {
        for fields in ["Content-Length: 20000\r\n", "Transfer-Encoding: chunked\r\n"] {
            let payload = letters(20_000);
            client.send(put("/echo", &format!("{fields}Expect: 100-continue\r\n")));
            assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
            client.send(if fields.starts_with('C') { payload.clone() } else { chunked(&payload, 999) });
            let answer = client.answer();
            assert!(answer.status == 200 && answer.body == payload);
        }
        // A client that did not wait needs none, nor does one without a body.
        let request = put("/collect", "Content-Length: 2\r\nExpect: 100-continue\r\n") + "ab";
        assert_eq!(client.ask(request).text(), "ab");
        assert_eq!(client.ask(put("/echo", "Content-Length: 0\r\nExpect: 100-continue\r\n")).status, 200);
        client.assert_alive();
    });
}

#[test]
fn a_refusal_before_continue_closes() {
    serve_one(patient(), |client| {
        let answer = client.ask(put("/ignore", "Content-Length: 9\r\nExpect: 100-continue\r\n"));
        assert_eq!(answer.status, 403);
        assert!(answer.says_close());
        client.assert_ended();
    });
}

#[test]
fn a_small_unread_body_is_drained() {
    serve_one(patient(), |client| {
        for _ in 0..3 {
            client.send(put("/ignore", "Content-Length: 100000\r\n"));
            client.send(letters(100_000));
            let answer = client.answer();
            assert!(answer.status == 403 && !answer.says_close());
            client.send(put("/ignore", "Transfer-Encoding: chunked\r\n"));
            client.send(chunked(&letters(100_000), 5_000));
            assert_eq!(client.answer().status, 403);
        }
        client.assert_alive();
    });
}

#[test]
fn the_answer_does_not_wait_for_a_drained_body() {
    serve_one(patient(), |client| {
        let answer = client.ask(put("/ignore", "Content-Length: 100\r\n"));
        assert_eq!(answer.status, 403);
        client.send(letters(100));
        client.assert_alive();
    });
}

#[test]
fn a_large_unread_body_is_answered_before_the_connection_closes() {
    for framing in ["Content-Length: 600000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let deadlines = Deadlines { drain: Duration::from_millis(500), ..patient() };
        serve_one(deadlines, |client| {
            client.send(put("/ignore", framing));
            // As a client that sends everything before it reads; the server takes the first part only.
            let body = chunked(&letters(600_000), 10_000);
            let body = if framing.starts_with('C') { &body[..600_000] } else { &body[..] };
            let _ = client.stream.write_all(body);
            assert_eq!(client.answer().status, 403);
            client.assert_ended();
        });
    }
}

#[test]
fn collected_bodies_are_bounded() {
    serve_one(patient(), |client| {
        client.send(put("/collect", "Content-Length: 1000\r\n"));
        client.send(letters(1000));
        assert_eq!(client.answer().body, letters(1000));
        client.send(put("/collect", "Content-Length: 1001\r\n"));
        client.send(letters(1001));
        assert_eq!(client.answer().text(), "TooLarge");
        client.send(put("/collect", "Transfer-Encoding: chunked\r\n"));
        client.send(chunked(&letters(1001), 100));
        assert_eq!(client.answer().text(), "TooLarge");
        client.assert_alive();
    });
}

#[test]
fn broken_bodies_are_answered_and_close() {
    for target in ["/echo", "/collect"] {
        serve_one(patient(), |client| {
            let answer = client.ask(put(target, "Transfer-Encoding: chunked\r\n") + "5\r\nabcdeX\r\n");
            assert_eq!((answer.status, answer.text()), (400, "Malformed"));
            assert!(answer.says_close());
            client.assert_ended();
        });
        for framing in ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"] {
            serve_one(patient(), |client| {
                client.send(put(target, framing) + "3\r\nab");
                client.stream.shutdown(std::net::Shutdown::Write).unwrap();
                let answer = client.answer();
                assert_eq!((answer.text(), answer.says_close()), ("Disconnected", true));
                client.assert_ended();
            });
        }
    }
}

#[test]
fn a_silent_body_runs_into_its_deadline() {
    for target in ["/echo", "/collect"] {
        let deadlines = Deadlines { body: SHORT, ..patient() };
        serve_one(deadlines, |client| {
            let answer = client.ask(put(target, "Content-Length: 10\r\n") + "abc");
            assert_eq!((answer.text(), answer.says_close()), ("Timeout", true));
            client.assert_ended();
        });
    }
}

#[test]
fn a_slow_head_runs_into_its_deadline() {
    let deadlines = Deadlines { head: SHORT, ..patient() };
    serve_one(deadlines, |client| {
        client.send("GET / HTTP/1.1\r\n");
        // Each byte is progress; the deadline is of the whole head.
        for _ in 0..3 {
            thread::sleep(SHORT / 4);
            client.send("A");
        }
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (408, "Deadline"));
        client.assert_ended();
    });
}

#[test]
fn an_idle_connection_runs_into_its_deadline() {
    let deadlines = Deadlines { idle: SHORT, ..patient() };
    serve_one(deadlines, |client| {
        client.assert_alive();
        client.assert_ended();
    });
}

#[test]
fn a_client_that_does_not_read_runs_into_the_deadline() {
    let deadlines = Deadlines { write: SHORT, ..patient() };
    serve_while(deadlines, 1, |address| {
        let mut client = Client::connect(address);
        for _ in 0..20 {
            client.send(get("/large"));
        }
        thread::sleep(4 * SHORT);
        // Well over what socket buffers hold was asked for; the rest never comes.
        assert!(client.rest().len() < 60_000_000);
    });
}

#[test]
fn what_is_no_request_is_refused_and_closes() {
    for (request, status, body) in [
        ("GET / HTTP/1.1\r\nHost : h\r\n\r\n".to_owned(), 400, "Head(Malformed)"),
        ("hello\r\n\r\n".to_owned(), 400, "Head(Malformed)"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "Host"),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), 505, "Head(Version)"),
        (
            put("/echo", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
            400,
            "Framing(LengthAndCoding)",
        ),
        (put("/echo", "Transfer-Encoding: gzip\r\n"), 501, "Framing(UnknownCoding)"),
        (put("/echo", "Content-Length: +5\r\n") + "hello", 400, "Framing(BadLength)"),
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000)), 431, "Head(HeadTooLarge)"),
        (format!("GET / HTTP/1.1\r\nA: {}\r\n", "a".repeat(10_000)), 431, "Head(HeaderSectionTooLarge)"),
    ] {
        serve_one(patient(), |client| {
            let answer = client.ask(&request);
            assert_eq!((answer.status, answer.text()), (status, body));
            assert!(answer.says_close());
            client.assert_ended();
        });
    }
}

#[test]
fn nothing_behind_a_refused_request_is_served() {
    serve_one(patient(), |client| {
        let smuggled = get("/smuggled");
        client.send(put("/echo", "Content-Length: 0\r\nContent-Length: 44\r\n") + &smuggled);
        assert_eq!(client.answer().text(), "Framing(SeveralLengths)");
        client.assert_ended();
    });
}

#[test]
fn half_a_head_is_refused() {
    serve_one(patient(), |client| {
        client.send("GET / HTTP/1.1\r\nHost");
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(client.answer().text(), "Incomplete");
        client.assert_ended();
    });
}

#[test]
fn connections_close_when_either_side_wishes() {
    for request in [
        "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned(),
        "GET /a HTTP/1.0\r\n\r\n".to_owned(),
        get("/close"),
    ] {
        serve_one(patient(), |client| {
            // The second request comes too late.
            let answer = client.ask(request + &get("/b"));
            assert!(answer.status == 200 && answer.says_close());
            client.assert_ended();
        });
    }
}

#[test]
fn an_old_client_may_keep_its_connection() {
    serve_one(patient(), |client| {
        for _ in 0..2 {
            let answer = client.ask("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            assert!(answer.head.contains("\r\nConnection: keep-alive\r\n"));
        }
    });
}

#[test]
fn streamed_bodies_arrive_whole() {
    serve_one(patient(), |client| {
        assert_eq!(client.ask(get("/stream")).body, vec![b'x'; 50_000]);
        assert!(client.ask(get("/large")).body == vec![b'z'; 3_000_000]);
        client.assert_alive();
    });
}

#[test]
fn a_stream_that_breaks_its_word_cuts_the_connection() {
    for target in ["/short", "/long"] {
        serve_one(patient(), |client| {
            client.send(get(target));
            let received = client.rest();
            let head = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            assert!(
                received.len() - head < 20_001,
                "no byte beyond the announced length, and no second response"
            );
        });
    }
}

#[test]
fn head_and_bodyless_statuses_send_no_body() {
    serve_one(patient(), |client| {
        for target in ["/a", "/stream", "/large"] {
            client.send(format!("HEAD {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
            let length = match target {
                "/a" => 2,
                "/stream" => 50_000,
                _ => 3_000_000,
            };
            assert!(client.head().contains(&format!("\r\nContent-Length: {length}\r\n")));
        }
        client.send(get("/204"));
        assert_eq!(client.head(), "HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_alive();
    });
}

#[test]
fn draining_ends_idle_connections_and_lets_requests_finish() {
    serve_while(patient(), 4, |address| {
        let mut idle = Client::connect(address);
        idle.assert_alive();
        let mut fresh = Client::connect(address);
        let mut busy = Client::connect(address);
        busy.send(put("/echo", "Content-Length: 3\r\n") + "a");
        let mut other = Client::connect(address);
        // All four are accepted in order before this one's request is served.
        let started = Instant::now();
        assert!(other.ask(get("/drain")).says_close());
        other.assert_ended();
        idle.assert_ended();
        fresh.assert_ended();
        let answer = busy.ask("bc");
        assert_eq!((answer.text(), answer.says_close()), ("abc", true));
        busy.assert_ended();
        assert!(started.elapsed() < PATIENT / 2);
    });
}

fn size_of_output<T>(
    _: impl FnOnce(Stream, SocketAddr, &'static Echo, &'static ConnectionContext) -> T,
) -> usize {
    size_of::<T>()
}

#[test]
fn an_idle_connection_is_small() {
    // With its read buffer and the task around it, below the 8 KiB that a connection may cost.
    let future_bytes = size_of_output(serve::<Echo>);
    assert!(future_bytes + READ_AHEAD_BYTES < 7 * 1024, "{future_bytes}");
}
