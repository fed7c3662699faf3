use std::io::{Read, Write};
use std::time::Instant;

use super::*;
use crate::config::Config;
use crate::config::limits::ADMIN_ANSWER_BYTES_MAX;
use crate::server::test_accounts::{memory, with_accounts};

/// Serves the socket of a node without cores, for as long as `life` takes.
fn serving(life: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { data_dir: directory.path().to_owned(), ..Config::default() };
    with_accounts(&memory(), |accounts| {
        let administration = Administration::open(&config, &accounts).unwrap();
        let socket = AdminSocket::start(directory.path(), administration).unwrap();
        life(directory.path());
        socket.stop();
    });
    assert!(matches!(ask(directory.path(), &Request::ListPolicies {}), Err(AskError::NoNode { .. })));
}

fn create(access_key: &str) -> Request {
    let access_key = Some(access_key.to_owned());
    let [user, display_name, org] = ["u", "d", "o"].map(str::to_owned);
    Request::CreateKey { access_key, secret_key: None, user, display_name, org }
}

fn keys(data_dir: &Path) -> usize {
    match ask(data_dir, &Request::ListKeys { org: None }) {
        Ok(Answer::Keys(keys)) => keys.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn questions_are_answered() {
    serving(|data_dir| {
        let Ok(Answer::KeyMade(made)) = ask(data_dir, &create("AKID")) else { panic!("no key") };
        assert_eq!(made.secret_key.unwrap().expose().len(), 40);
        let refused = ask(data_dir, &create("AKID")).unwrap_err();
        assert_eq!(refused.to_string(), "the access key AKID exists already");
        assert_eq!(keys(data_dir), 1);
        let access_key = || "AKID".to_owned();
        for request in [
            Request::DisableKey { access_key: access_key() },
            Request::EnableKey { access_key: access_key() },
            Request::DeleteKey { access_key: access_key() },
        ] {
            assert!(matches!(ask(data_dir, &request), Ok(Answer::Done {})), "{request:?}");
        }
        assert_eq!(keys(data_dir), 0);
        let [org, document] = ["o", "{"].map(str::to_owned);
        let refused = ask(data_dir, &Request::PutPolicy { org: org.clone(), document });
        assert!(
            matches!(refused, Err(AskError::Refused(_)) | Ok(Answer::Done {})),
            "as the policy is judged"
        );
        assert!(matches!(ask(data_dir, &Request::ListPolicies {}), Ok(Answer::Policies(_))));
        let refused = ask(data_dir, &Request::GetPolicy { org: "nobody".to_owned() }).unwrap_err();
        assert!(refused.to_string().contains("no stored policy"), "{refused}");
    });
}

#[test]
fn junk_is_refused_and_the_next_question_answered() {
    serving(|data_dir| {
        for junk in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\n", b"{}\n", &[0xff; 100], &vec![b' '; 1 << 20]] {
            let mut stream = place::connect(data_dir).unwrap();
            // The node may have refused before all is sent.
            let _ = stream.write_all(junk);
            let _ = stream.shutdown(Shutdown::Write);
            let mut answer = String::new();
            let read = stream.read_to_string(&mut answer);
            assert!(answer.is_empty() || answer.starts_with("{\"refused\""), "{answer} {read:?}");
            assert_eq!(keys(data_dir), 0);
        }
    });
}

#[test]
fn silent_connections_hold_nobody_up_and_end_with_the_node() {
    let started = Instant::now();
    let mut silent = Vec::new();
    serving(|data_dir| {
        silent.extend((0..ADMIN_CONNECTIONS_MAX - 1).map(|_| place::connect(data_dir).unwrap()));
        silent[0].write_all(b"{\"list_keys\"").unwrap();
        assert_eq!(keys(data_dir), 0);
        // One more than may be is closed at once; who goes makes room.
        silent.push(place::connect(data_dir).unwrap());
        let mut refused = place::connect(data_dir).unwrap();
        assert_eq!(refused.read(&mut [0; 8]).unwrap(), 0);
        silent.truncate(1);
        while !matches!(ask(data_dir, &Request::ListPolicies {}), Ok(Answer::Policies(_))) {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(started.elapsed() < Duration::from_secs(ADMIN_DEADLINE_S), "the stop waits for no deadline");
    assert_eq!(silent[0].read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn many_ask_at_once() {
    serving(|data_dir| {
        std::thread::scope(|scope| {
            for asker in 0..4 {
                scope.spawn(move || {
                    for number in 0..10 {
                        ask(data_dir, &create(&format!("AKID-{asker}-{number}"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(keys(data_dir), 40);
    });
}

#[test]
fn a_question_in_flight_is_answered_at_the_stop() {
    let mut stream = None;
    serving(|data_dir| {
        let asking = place::connect(data_dir).unwrap();
        protocol::send(&asking, &create("AKID"), Duration::from_secs(5)).unwrap();
        // The stop may come before the question is read, and then nothing is done.
        stream = Some(asking);
    });
    let within = Duration::from_secs(5);
    let answer = protocol::receive::<Answer>(&stream.unwrap(), ADMIN_ANSWER_BYTES_MAX, within);
    let is_unanswered = |error: &LineError| match error {
        LineError::Closed => true,
        LineError::Io(error) => error.kind() == io::ErrorKind::ConnectionReset,
        _ => false,
    };
    let made = answer.as_ref().map(|answer| matches!(answer, Answer::KeyMade(_)));
    assert!(made.unwrap_or_else(is_unanswered), "{answer:?}");
}

#[test]
fn without_a_node_it_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent");
    for data_dir in [directory.path(), &absent] {
        let message = ask(data_dir, &Request::ListPolicies {}).unwrap_err().to_string();
        assert_eq!(message, format!("no node is running on the data directory {}", data_dir.display()));
    }
    drop(place::bind(directory.path()).unwrap());
    let refused = ask(directory.path(), &Request::ListPolicies {});
    assert!(matches!(refused, Err(AskError::NoNode { .. })), "a dead socket is no node");
}
