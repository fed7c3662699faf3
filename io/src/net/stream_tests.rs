use std::net::SocketAddr;
use std::time::Duration;

use crate::buffer::BufferPool;
use crate::net::{Gather, Listener, Stream};
use crate::runtime::{run_on_core, sleep, spawn, timeout};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(10);

async fn connected() -> (Stream, Stream) {
    let listener = Listener::bind(LOOPBACK, false).unwrap();
    let addr = listener.local_addr();
    let accepting = spawn(async move { listener.accept().await.unwrap().0 });
    let client = Stream::connect(addr).await.unwrap();
    (client, accepting.await)
}

async fn read_to_end(stream: &mut Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        bytes.reserve(4096);
        let result;
        (result, bytes) = stream.read_append(bytes).await;
        if result.unwrap() == 0 {
            return bytes;
        }
    }
}

#[test]
fn a_gather_arrives_in_order_and_comes_back_whole() {
    run_on_core(None, async {
        let (mut client, mut server) = connected().await;
        let pool = BufferPool::new(1, 4 << 20).unwrap();
        let mut buffer = pool.acquire().await;
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = (index % 251) as u8;
        }
        let ranges = vec![0..100, 200..200, 4096..(2 << 20), (3 << 20)..(4 << 20)];
        let mut expected = b"head".to_vec();
        for range in &ranges {
            expected.extend_from_slice(&buffer[range.clone()]);
        }
        let gather = Gather::new(b"head".to_vec(), buffer, ranges);
        assert_eq!(gather.len(), expected.len());
        // More than the socket's buffers hold: the kernel takes it in several goes.
        let receiving = spawn(async move {
            sleep(Duration::from_millis(20)).await;
            read_to_end(&mut client).await
        });
        let (result, gather) = server.write_gather(gather).await;
        result.unwrap();
        server.shutdown_write().await;
        assert!(receiving.await == expected);
        assert!(gather.into_buffer().is_some());
        assert_eq!(pool.available(), 1);
    })
    .unwrap();
}

#[test]
fn an_echo_through_windows_and_vectors() {
    run_on_core(None, async {
        let (mut client, mut server) = connected().await;
        let echo = spawn(async move {
            let pool = BufferPool::new(1, 4096).unwrap();
            loop {
                // Into the middle of the buffer: only the window may be touched.
                let (result, window) = server.read(pool.acquire().await.window(10..20)).await;
                let count = result.unwrap();
                if count == 0 {
                    return;
                }
                let buffer = window.into_buffer();
                assert!(buffer[..10].iter().chain(&buffer[20..]).all(|byte| *byte == 0));
                let piece = 10..10 + count;
                server.write_gather(Gather::new(Vec::new(), buffer, vec![piece])).await.0.unwrap();
            }
        });
        let (result, sent) = client.write_all(b"the quick brown fox jumps over the lazy dog".to_vec()).await;
        result.unwrap();
        client.shutdown_write().await;
        assert_eq!(read_to_end(&mut client).await, sent);
        echo.await;
    })
    .unwrap();
}

#[test]
fn empty_sends_send_nothing_and_reads_need_room() {
    run_on_core(None, async {
        let (mut client, _server) = connected().await;
        client.write_all(Vec::new()).await.0.unwrap();
        client.write_gather(Gather::head_only(Vec::new())).await.0.unwrap();
        assert!(client.read_append(Vec::new()).await.0.is_err());
        let pool = BufferPool::new(1, 4096).unwrap();
        assert!(client.read(pool.acquire().await.window(5..5)).await.0.is_err());
    })
    .unwrap();
}

#[test]
fn a_stopper_ends_a_pending_read_and_leaves_writing_alone() {
    run_on_core(None, async {
        let (mut client, mut server) = connected().await;
        let stopper = server.read_stopper();
        let reading = spawn(async move {
            let (result, _) = server.read_append(Vec::with_capacity(100)).await;
            (result.unwrap(), server)
        });
        sleep(Duration::from_millis(20)).await;
        assert!(!reading.is_finished());
        stopper.stop();
        let (count, mut server) = timeout(PATIENCE, reading).await.unwrap();
        assert_eq!(count, 0);
        server.write_all(b"farewell".to_vec()).await.0.unwrap();
        drop(server);
        assert_eq!(read_to_end(&mut client).await, b"farewell");
        stopper.stop();
    })
    .unwrap();
}

#[test]
fn a_read_that_was_given_up_spoils_reading_and_ends_with_the_stream() {
    run_on_core(None, async {
        let (mut client, mut server) = connected().await;
        let pool = BufferPool::new(1, 4096).unwrap();
        let window = pool.acquire().await.window(0..4096);
        assert!(timeout(Duration::from_millis(20), server.read(window)).await.is_err());
        assert_eq!(pool.available(), 0, "the kernel still has it");
        assert!(server.read_append(Vec::with_capacity(10)).await.0.is_err());
        server.write_all(b"too slow".to_vec()).await.0.unwrap();
        drop(server);
        assert_eq!(timeout(PATIENCE, read_to_end(&mut client)).await.unwrap(), b"too slow");
        timeout(PATIENCE, pool.acquire()).await.expect("the kernel gave the buffer back");
    })
    .unwrap();
}

#[test]
fn a_listener_stops_and_a_taken_port_is_refused() {
    run_on_core(None, async {
        let listener = Listener::bind(LOOPBACK, false).unwrap();
        let addr = listener.local_addr();
        assert!(Listener::bind(addr, false).is_err());
        let stopper = listener.stopper();
        let accepting = spawn(async move { listener.accept().await.map(|_| ()) });
        sleep(Duration::from_millis(20)).await;
        stopper.stop();
        assert!(timeout(PATIENCE, accepting).await.unwrap().is_err());
        assert!(Stream::connect(addr).await.is_err());
    })
    .unwrap();
}

#[test]
fn a_peer_that_is_gone_is_an_error_of_the_write() {
    run_on_core(None, async {
        let (client, mut server) = connected().await;
        drop(client);
        let mut bytes = vec![1; 1 << 20];
        for _ in 0..100 {
            let result;
            (result, bytes) = server.write_all(bytes).await;
            if result.is_err() {
                assert_eq!(bytes.len(), 1 << 20);
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("a hundred megabytes went nowhere");
    })
    .unwrap();
}
