use std::time::Duration;

use crate::http::context::Deadlines;
use crate::http::loopback::{BUFFER_BYTES, SHORT, chunked, letters, patient, put, serve_one};

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
        // A client that did not wait needs none; one that waits gets one even where no content follows.
        let request = put("/collect", "Content-Length: 2\r\nExpect: 100-continue\r\n") + "ab";
        assert_eq!(client.ask(request).text(), "ab");
        client.send(put("/echo", "Content-Length: 0\r\nExpect: 100-continue\r\n"));
        assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(client.answer().status, 200);
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
            client.send_while_taken(body);
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
                client.finish_sending();
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
