//! Payloads over a real socket into a real store: what counts as whole, and that nothing waits for ever.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ringstone_io::disk::Disk;
use ringstone_io::net::Listener;
use ringstone_io::runtime::{self, Clock, run_on_core};

use super::*;
use crate::config::Calendar;
use crate::config::limits::BUFFER_BYTES;
use crate::http::client_address::Client;
use crate::http::connection::{HeadRefusal, Service, serve};
use crate::http::context::ConnectionContext;
use crate::http::response::{Response, ResponseBody};
use crate::index::engine::{Engine, MemoryEngine};
use crate::s3::body::receive::receive;
use crate::store::Store;
use crate::store::body_writer::NewBody;
use crate::store::extent::space::SpaceOptions;
use crate::store::start::SharedStore;

const PATIENCE: Duration = Duration::from_secs(5);

/// Receives one body and answers with what became of it.
struct Receiver {
    store: Store,
    seal: RefCell<Option<PayloadSeal>>,
}

impl Receiver {
    async fn receive(&self, head: &RequestHead, body: &mut Body<'_>) -> Result<String, S3Error> {
        let seal = self.seal.borrow_mut().take().expect("one request");
        let mut payload = Payload::new(body, head, seal)?;
        let size_bytes = payload.length().ok_or_else(S3Error::missing_content_length)?;
        let new = NewBody { size_bytes, ..NewBody::default() };
        let (written, trailers) = receive(&mut payload, &self.store, &new).await?;
        assert_eq!(written.size_bytes, size_bytes);
        Ok(format!("{size_bytes} {trailers:?}"))
    }
}

impl Service for Receiver {
    async fn call(&self, head: RequestHead, body: &mut Body<'_>, _: Client) -> Response {
        let text = match runtime::timeout(PATIENCE, self.receive(&head, body)).await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => error.code.name().to_owned(),
            Err(_elapsed) => "stuck".to_owned(),
        };
        Response::new(200).body(ResponseBody::Bytes(text.into_bytes())).closing()
    }

    fn refuse(&self, refusal: HeadRefusal, _: Option<&RequestHead>, _: Client) -> Response {
        Response::new(refusal.status())
    }
}

/// Sends one request to a store whose pool has `buffers` buffers left; returns the body of the answer.
fn answer(seal: PayloadSeal, buffers: usize, fields: &str, body: &[u8]) -> String {
    let (sender, address) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        run_on_core(None, async move {
            let options = SpaceOptions { extent_bytes: 16 * 1024 * 1024, reserve_bytes: 0 };
            let engine = Engine::Memory(MemoryEngine::new());
            let shared = SharedStore::open(
                engine,
                Disk::simulated(1),
                options,
                1,
                Clock::system(),
                Calendar::default(),
            )
            .expect("opens");
            let store = shared.core(0).into_store(4 * BUFFER_BYTES as u64).expect("a store");
            let held: Vec<_> = (buffers..4).map(|_| store.buffers().try_acquire().expect("free")).collect();
            let listener = Listener::bind("127.0.0.1:0".parse().expect("valid"), false).expect("a port");
            sender.send(listener.local_addr()).expect("wanted");
            let (stream, peer) = listener.accept().await.expect("a client");
            let receiver = Receiver { store, seal: RefCell::new(Some(seal)) };
            serve(stream, peer, &receiver, &ConnectionContext::default()).await;
            assert_eq!(receiver.store.buffers().available(), buffers, "a buffer was lost");
            drop((held, receiver));
            shared.close();
        })
        .expect("a ring");
    });
    let mut client = TcpStream::connect(address.recv().expect("listening")).expect("connected");
    client.write_all(format!("PUT /b/k HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes()).expect("sent");
    client.write_all(body).expect("sent");
    client.shutdown(std::net::Shutdown::Write).expect("open");
    let mut text = String::new();
    client.read_to_string(&mut text).expect("an answer");
    server.join().expect("no panic");
    text.split_once("\r\n\r\n").expect("a whole head").1.to_owned()
}

fn plain(seal: PayloadSeal, body: &[u8]) -> String {
    answer(seal, 2, &format!("Content-Length: {}\r\n", body.len()), body)
}

fn sha256_of(bytes: &[u8]) -> PayloadSeal {
    use sha2::Digest as _;
    PayloadSeal::Sha256(sha2::Sha256::digest(bytes).into())
}

fn streamed(decoded_length: usize, body: &str) -> String {
    let fields = format!(
        "Content-Length: {}\r\nx-amz-decoded-content-length: {decoded_length}\r\nx-amz-trailer: x-amz-checksum-crc32\r\n",
        body.len()
    );
    answer(PayloadSeal::UnsignedTrailer, 2, &fields, body.as_bytes())
}

#[test]
fn a_writer_that_holds_the_last_buffer_still_finishes() {
    let small = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let fields = "x-amz-decoded-content-length: 5\r\nx-amz-trailer: x-amz-checksum-crc32\r\n";
    let streamed = format!("{fields}Content-Length: {}\r\n", small.len());
    assert_eq!(answer(PayloadSeal::Unsigned, 1, "Content-Length: 5\r\n", b"hello"), "5 []");
    let chunked = format!("{fields}Transfer-Encoding: chunked\r\n");
    let outer = format!("{:x}\r\n{small}\r\n0\r\n\r\n", small.len());
    for (fields, body) in [(streamed, small.to_owned()), (chunked, outer)] {
        let text = answer(PayloadSeal::UnsignedTrailer, 1, &fields, body.as_bytes());
        assert_eq!(text, r#"5 [("x-amz-checksum-crc32", "AAAAAA==")]"#);
    }
    // A body in extents, larger than a buffer, through one buffer.
    let large = vec![7; BUFFER_BYTES + 100_000];
    let fields = format!("Content-Length: {}\r\n", large.len());
    assert_eq!(answer(sha256_of(&large), 1, &fields, &large), format!("{} []", large.len()));
}

#[test]
fn a_plain_body_must_be_what_was_signed() {
    for size in [0, 1, 8192, 8193, 70_000] {
        let body = vec![3; size];
        assert_eq!(plain(sha256_of(&body), &body), format!("{size} []"));
        assert_eq!(plain(sha256_of(b"another"), &body), "XAmzContentSHA256Mismatch", "{size}");
    }
}

#[test]
fn a_body_that_ends_early_is_no_body() {
    assert_eq!(answer(PayloadSeal::Unsigned, 2, "Content-Length: 10\r\n", b"hello"), "IncompleteBody");
    assert_eq!(
        answer(PayloadSeal::Unsigned, 2, "Content-Length: 100000\r\n", &vec![1; 99_999]),
        "IncompleteBody"
    );
}

#[test]
fn a_streamed_body_must_be_whole_and_nothing_may_follow() {
    let trailer = "x-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let whole = format!("5\r\nhello\r\n0\r\n{trailer}");
    assert_eq!(streamed(5, &whole), r#"5 [("x-amz-checksum-crc32", "AAAAAA==")]"#);
    assert_eq!(streamed(0, &format!("0\r\n{trailer}")), r#"0 [("x-amz-checksum-crc32", "AAAAAA==")]"#);
    for (body, code) in [
        ("5\r\nhello\r\n0\r\n\r\n".to_owned(), "MalformedTrailerError"),
        (format!("{whole}x"), "IncompleteBody"),
        (format!("{whole}{}", "x".repeat(20_000)), "IncompleteBody"),
        ("5\r\nhello\r\n".to_owned(), "IncompleteBody"),
        ("5\r\nhello".to_owned(), "IncompleteBody"),
        (whole[..whole.len() - 1].to_owned(), "IncompleteBody"),
        (format!("4\r\nhell\r\n0\r\n{trailer}"), "IncompleteBody"),
        (format!("6\r\nhello!\r\n0\r\n{trailer}"), "IncompleteBody"),
        (format!("5\r\nhello\r\n1\r\n!\r\n0\r\n{trailer}"), "InvalidChunkSizeError"),
        (format!("5\r\nhello\r\n0\r\nx-other:1\r\n{trailer}"), "MalformedTrailerError"),
    ] {
        assert_eq!(streamed(5, &body), code, "{body:?}");
    }
}
