use std::net::TcpListener;
use std::thread;

use super::*;

#[test]
fn a_head_is_parsed_once_it_is_whole() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(parse_head(head).unwrap(), Some((200, 5, head.len())));
    assert_eq!(parse_head(&head[..20]).unwrap(), None);
    assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    assert!(parse_head(b"nonsense\r\n\r\n").is_err());
}

#[test]
fn responses_follow_each_other_on_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 6];
        for _ in 0..2 {
            stream.read_exact(&mut request).unwrap();
            assert_eq!(&request, b"headbo");
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n").unwrap();
            stream.write_all(&vec![7; 300_000]).unwrap();
        }
    });
    let mut connection = Connection::open(&authority).unwrap();
    for _ in 0..2 {
        let mut sum = 0;
        let (status, length) = connection
            .request(b"head", b"bo", |piece| {
                sum += piece.iter().map(|byte| usize::from(*byte)).sum::<usize>();
            })
            .unwrap();
        assert_eq!((status, length, sum), (200, 300_000, 2_100_000));
    }
    server.join().unwrap();
}

#[test]
fn an_early_end_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").unwrap();
    });
    let mut connection = Connection::open(&authority).unwrap();
    assert!(connection.request(b"head", b"", |_| ()).is_err());
    server.join().unwrap();
}
