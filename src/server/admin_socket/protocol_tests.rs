use proptest::prelude::*;

use super::*;
use crate::config::limits::{ADMIN_REQUEST_BYTES_MAX, POLICY_BYTES_MAX};

const WITHIN: Duration = Duration::from_secs(5);

fn received<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LineError> {
    let (mut client, server) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            // The other end may refuse early.
            let _ = client.write_all(bytes);
        });
        let result = receive(&server, ADMIN_REQUEST_BYTES_MAX, WITHIN);
        drop(server);
        sending.join().unwrap();
        result
    })
}

fn create(secret: &str) -> Request {
    Request::CreateKey {
        access_key: Some("AKID".to_owned()),
        secret_key: Some(Secret::new(secret.to_owned()).into()),
        user: "u".to_owned(),
        display_name: "D".to_owned(),
        org: "o".to_owned(),
    }
}

#[test]
fn what_is_sent_is_received() {
    for request in [create("a\"b\\c"), Request::ListPolicies {}, Request::ListKeys { org: None }] {
        let (client, server) = UnixStream::pair().unwrap();
        send(&client, &request, WITHIN).unwrap();
        let received: Request = receive(&server, ADMIN_REQUEST_BYTES_MAX, WITHIN).unwrap();
        let texts = [&request, &received].map(|request| serde_json::to_string(request).unwrap());
        assert_eq!(texts[0], texts[1]);
    }
}

/// The form is a promise to whoever talks to the socket without the command line.
#[test]
fn the_form_on_the_wire() {
    let text = serde_json::to_string(&create("wJalrXUt")).unwrap();
    assert_eq!(
        text,
        r#"{"create_key":{"access_key":"AKID","secret_key":"wJalrXUt","user":"u","display_name":"D","org":"o"}}"#
    );
    let text = serde_json::to_string(&Request::ListPolicies {}).unwrap();
    assert_eq!(text, r#"{"list_policies":{}}"#);
    let text = serde_json::to_string(&Answer::Refused { message: "m".to_owned() }).unwrap();
    assert_eq!(text, r#"{"refused":{"message":"m"}}"#);
}

#[test]
fn a_line_in_pieces_is_one_line() {
    let (client, server) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for byte in b"{\"list_keys\":{\"org\":null}}\nrest" {
                (&client).write_all(&[*byte]).unwrap();
            }
        });
        let request: Request = receive(&server, ADMIN_REQUEST_BYTES_MAX, WITHIN).unwrap();
        assert_eq!(request.command(), "list keys");
    });
}

#[test]
fn what_is_no_request_is_refused_and_not_repeated() {
    for line in [
        "",
        "{",
        "null",
        "[]",
        "\"topsecret\"",
        "topsecret",
        "{\"topsecret\":{}}",
        "{\"create_key\":\"topsecret\"}",
        "{\"create_key\":{\"secret_key\":[\"topsecret\"]}}",
        "{\"create_key\":{\"secret_key\":7,\"user\":\"topsecret\"}}",
        "{\"list_keys\":{\"topsecret\":1}}",
        "{\"list_policies\":{}} topsecret",
        "{\"list_policies\":{},\"list_keys\":{}}",
        "\u{0}\u{1}",
    ] {
        let error = received::<Request>(format!("{line}\n").as_bytes()).unwrap_err();
        assert!(matches!(error, LineError::Syntax(_)), "{line}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("topsecret"), "{error:?}");
    }
    assert!(matches!(received::<Request>(&[0xff, 0xfe, b'\n']), Err(LineError::Syntax(_))));
    for cut in ["", "{\"list_policies\":{}}"] {
        assert!(matches!(received::<Request>(cut.as_bytes()), Err(LineError::Closed)), "no line break");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let line = format!("{}\n", "[".repeat(ADMIN_REQUEST_BYTES_MAX - 1));
    assert!(matches!(received::<Request>(line.as_bytes()), Err(LineError::Syntax(_))));
    let line = format!("{{\"list_keys\":{{\"org\":{}\n", "{\"a\":".repeat(10_000));
    assert!(matches!(received::<Request>(line.as_bytes()), Err(LineError::Syntax(_))));
}

#[test]
fn lines_are_bounded_in_size() {
    let document = "\"".repeat(POLICY_BYTES_MAX);
    let largest = serde_json::to_string(&Request::PutPolicy { org: "o".repeat(128), document }).unwrap();
    assert!(received::<Request>(format!("{largest}\n").as_bytes()).is_ok());
    let long = vec![b'a'; 10 * ADMIN_REQUEST_BYTES_MAX];
    assert!(matches!(received::<Request>(&long), Err(LineError::TooLong(ADMIN_REQUEST_BYTES_MAX))));
}

#[test]
fn lines_are_bounded_in_time_as_a_whole() {
    let (mut client, server) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        let received = scope.spawn(move || {
            let started = Instant::now();
            let error = receive::<Request>(&server, 1 << 20, Duration::from_millis(200)).unwrap_err();
            (error, started.elapsed())
        });
        // A byte now and then keeps no line alive.
        while client.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let (error, elapsed) = received.join().unwrap();
        assert!(
            matches!(&error, LineError::Io(error) if error.kind() == io::ErrorKind::TimedOut),
            "{error:?}"
        );
        assert!(elapsed >= Duration::from_millis(190) && elapsed < Duration::from_secs(5), "{elapsed:?}");
    });
}

#[test]
fn secrets_are_not_shown() {
    let shown =
        format!("{:?} {} {}", create("wJalrXUt"), create("wJalrXUt").command(), create("wJalrXUt").subject());
    assert!(!shown.contains("wJalr") && shown.contains("redacted"), "{shown}");
    let secret: Secret = WireSecret::from(Secret::new("wJalrXUt".to_owned())).into();
    assert_eq!(secret.expose(), "wJalrXUt");
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = received::<Request>(&bytes);
        let _ = received::<Answer>(&[&bytes[..], b"\n"].concat());
    }
}

#[test]
fn who_takes_an_answer_in_drops_is_not_waited_for() {
    let (mut slow, server) = UnixStream::pair().unwrap();
    let answer = Answer::Policy { document: "a".repeat(8 << 20) };
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut drop = [0; 4096];
            while slow.read(&mut drop).is_ok_and(|read| read > 0) {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        assert!(send(&server, &answer, Duration::from_millis(200)).is_err());
        drop(server);
    });
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
