use std::thread;
use std::time::Instant;

use super::*;
use crate::http::context::Deadlines;
use crate::http::loopback::{
    Client, Echo, PATIENT, SHORT, chunked, get, patient, put, serve_one, serve_while,
};

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
        client.finish_sending();
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
