use proptest::prelude::*;

use super::*;

fn sent(response: Response) -> String {
    sent_to(response, false, ConnectionField::Absent)
}

fn sent_to(response: Response, to_head_request: bool, connection: ConnectionField) -> String {
    String::from_utf8(response.into_outgoing(to_head_request, connection).first).unwrap()
}

struct NoBytes;

impl ByteStream for NoBytes {
    fn next(&mut self) -> NextPiece<'_> {
        Box::pin(async { Ok(None) })
    }
}

fn streamed(length: u64) -> Response {
    Response::new(200).body(ResponseBody::Stream { length, source: Box::new(NoBytes) })
}

#[test]
fn head_and_body_are_one_piece() {
    let response = Response::new(200).header("ETag", "\"a\"").body(ResponseBody::Bytes(b"hello".to_vec()));
    assert_eq!(sent(response), "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\nhello");
}

#[test]
fn an_empty_body_says_so() {
    assert_eq!(sent(Response::new(404)), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_stream_follows_its_head() {
    let outgoing = streamed(9).into_outgoing(false, ConnectionField::Absent);
    assert_eq!(outgoing.first, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert!(matches!(outgoing.stream, Some((9, _))));
}

#[test]
fn a_response_to_head_announces_and_sends_nothing() {
    for body in [ResponseBody::Bytes(b"hello".to_vec()), ResponseBody::HeadOf { length: 5 }, streamed(5).body]
    {
        let outgoing = Response::new(200).body(body).into_outgoing(true, ConnectionField::Absent);
        assert_eq!(outgoing.first, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        assert!(outgoing.stream.is_none());
    }
}

#[test]
fn no_content_and_not_modified_have_neither_body_nor_length() {
    for (status, line) in [(204, "HTTP/1.1 204 No Content"), (304, "HTTP/1.1 304 Not Modified")] {
        for body in [ResponseBody::Bytes(b"hello".to_vec()), streamed(5).body, ResponseBody::Empty] {
            let outgoing = Response::new(status).body(body).into_outgoing(false, ConnectionField::Absent);
            assert_eq!(outgoing.first, format!("{line}\r\n\r\n").into_bytes());
            assert!(outgoing.stream.is_none());
        }
    }
}

#[test]
fn the_connection_field() {
    let text = sent_to(Response::new(200), false, ConnectionField::Close);
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let text = sent_to(Response::new(200), false, ConnectionField::KeepAlive);
    assert_eq!(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

#[test]
fn a_service_cannot_frame() {
    let response = Response::new(200)
        .header("content-length", "7")
        .header("Transfer-Encoding", "chunked")
        .header("CONNECTION", "upgrade")
        .header("Keep-Alive", "timeout=5");
    assert_eq!(sent(response), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn values_stay_inside_their_line() {
    let response = Response::new(200).header("x-amz-meta-a", "b\r\nSet-Cookie: c\0\x7f\x0b\td");
    assert_eq!(
        sent(response),
        "HTTP/1.1 200 OK\r\nx-amz-meta-a: b  Set-Cookie: c   \td\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn names_that_are_no_tokens_are_dropped() {
    let response =
        Response::new(200).header("", "a").header("a b", "c").header("a\r\nb", "c").header("a:", "b");
    assert_eq!(sent(response), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn values_may_hold_bytes_beyond_ascii() {
    let response = Response::new(200).header("x-amz-meta-a", vec![0xc3, 0xa4, 0xff]);
    let first = response.into_outgoing(false, ConnectionField::Absent).first;
    assert_eq!(first, b"HTTP/1.1 200 OK\r\nx-amz-meta-a: \xc3\xa4\xff\r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn a_status_that_is_none_becomes_500() {
    for status in [0, 100, 199, 600, 65535] {
        assert!(sent(Response::new(status)).starts_with("HTTP/1.1 500 Internal Server Error\r\n"));
    }
    assert!(sent(Response::new(418)).starts_with("HTTP/1.1 418 \r\n"));
}

proptest! {
    /// Whatever a service sets, a head has the expected number of lines and no bare control characters.
    #[test]
    fn no_field_writes_a_second_line(name in ".{0,8}", value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let first = Response::new(200).header(name, value).into_outgoing(false, ConnectionField::Absent).first;
        let lines = first.windows(2).filter(|pair| *pair == b"\r\n").count();
        prop_assert!((3..=4).contains(&lines));
        let controls = first.iter().filter(|byte| byte.is_ascii_control() && **byte != b'\t').count();
        prop_assert_eq!(controls, 2 * lines);
        prop_assert!(first.ends_with(b"\r\n\r\n"));
    }
}
