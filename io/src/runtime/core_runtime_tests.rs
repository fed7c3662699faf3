use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::buffer::BufferPool;
use crate::net::{Listener, Stream};
use crate::runtime::{Elapsed, probe_io_uring, sleep, timeout};

#[test]
fn this_machine_can_run_the_tests() {
    probe_io_uring().unwrap();
    assert!(core_count() > 0);
    let before = open_files_limit();
    let raised = raise_open_files_limit().unwrap();
    assert!(raised >= before && open_files_limit() == raised);
}

#[test]
fn a_core_runs_its_future_and_tasks_on_one_pinned_thread() {
    std::thread::spawn(|| {
        let shared = Rc::new(Cell::new(0));
        let answer = run_on_core(Some(1), async {
            let cell = Rc::clone(&shared);
            let task = spawn(async move {
                cell.set(cell.get() + 1);
                7
            });
            drop(spawn(sleep(Duration::from_hours(1))));
            task.await
        });
        assert_eq!((answer.unwrap(), shared.get()), (7, 1));
        let allowed = sched_getaffinity(None).unwrap();
        assert_eq!(allowed.count(), 1);
    })
    .join()
    .unwrap();
}

#[test]
fn time_passes() {
    run_on_core(None, async {
        let start = std::time::Instant::now();
        sleep(Duration::from_millis(20)).await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(timeout(Duration::from_secs(10), async { 5 }).await, Ok(5));
        let never = sleep(Duration::from_hours(1));
        assert_eq!(timeout(Duration::from_millis(5), never).await, Err(Elapsed));
    })
    .unwrap();
}

#[test]
fn other_threads_wake_a_core() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let waker_thread = std::thread::spawn(move || {
        let waker: std::task::Waker = receiver.recv().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        waker.wake();
    });
    let mut asked = false;
    run_on_core(
        None,
        std::future::poll_fn(move |context| {
            if asked {
                return Poll::Ready(());
            }
            asked = true;
            sender.send(context.waker().clone()).unwrap();
            Poll::Pending
        }),
    )
    .unwrap();
    waker_thread.join().unwrap();
}

#[test]
fn memory_in_flight_at_the_end_is_not_reused() {
    let pool = BufferPool::new(1, 4096).unwrap();
    run_on_core(None, async {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let client = Stream::connect(listener.local_addr()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let window = pool.acquire().await.window(0..4096);
        drop(spawn(async move {
            let _client = client;
            drop(server.read(window).await);
        }));
        sleep(Duration::from_millis(10)).await;
    })
    .unwrap();
    assert_eq!(pool.available(), 0);
}
