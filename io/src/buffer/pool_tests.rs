use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::*;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(acquire: &mut Acquire) -> Option<Buffer> {
    match Pin::new(acquire).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(buffer) => Some(buffer),
        Poll::Pending => None,
    }
}

fn waits(acquire: &mut Acquire) -> bool {
    poll(acquire).is_none()
}

#[test]
fn buffers_are_aligned_zeroed_distinct_and_counted() {
    let pool = BufferPool::new(3, 8192).unwrap();
    let mut buffers: Vec<_> = std::iter::from_fn(|| pool.try_acquire()).collect();
    assert_eq!((buffers.len(), pool.available(), pool.capacity(), pool.buffer_bytes()), (3, 0, 3, 8192));
    for (number, buffer) in (1..).zip(&mut buffers) {
        assert!(buffer.as_ptr().addr().is_multiple_of(4096));
        assert!(buffer.iter().all(|byte| *byte == 0));
        buffer.fill(number);
    }
    for (number, buffer) in (1..).zip(&buffers) {
        assert_eq!(buffer.len(), 8192);
        assert!(buffer.iter().all(|byte| *byte == number));
    }
    drop(buffers);
    assert_eq!(pool.available(), 3);
}

#[test]
fn impossible_pools_are_refused() {
    for (count, size_bytes) in [(0, 4096), (1, 0), (1, 4097), (usize::MAX, 4096)] {
        let error = BufferPool::new(count, size_bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    }
}

#[test]
fn waiters_are_served_in_the_order_of_asking() {
    let pool = BufferPool::new(1, 4096).unwrap();
    let held = pool.try_acquire().unwrap();
    let (mut first, mut second) = (pool.acquire(), pool.acquire());
    assert!(waits(&mut first) && waits(&mut second));
    drop(held);
    // The slot is granted, not free: latecomers do not get it.
    assert!(pool.try_acquire().is_none());
    assert!(waits(&mut pool.acquire()) && waits(&mut second));
    let buffer = poll(&mut first).expect("first in line");
    drop(buffer);
    assert!(poll(&mut second).is_some());
}

#[test]
fn a_waiter_that_goes_away_leaves_the_line() {
    let pool = BufferPool::new(1, 4096).unwrap();
    let held = pool.try_acquire().unwrap();
    let (mut first, mut second) = (pool.acquire(), pool.acquire());
    assert!(waits(&mut first) && waits(&mut second));
    drop(first);
    drop(held);
    assert!(poll(&mut second).is_some());
}

#[test]
fn a_grant_that_is_never_picked_up_goes_to_the_next() {
    let pool = BufferPool::new(1, 4096).unwrap();
    let held = pool.try_acquire().unwrap();
    let (mut first, mut second) = (pool.acquire(), pool.acquire());
    assert!(waits(&mut first) && waits(&mut second));
    drop(held);
    drop(first);
    let buffer = poll(&mut second).expect("passed on");
    drop((buffer, second));
    assert_eq!(pool.available(), 1);
}

#[test]
fn a_grant_wakes_exactly_the_first_waiter_through_its_last_waker() {
    let pool = BufferPool::new(1, 4096).unwrap();
    let held = pool.try_acquire().unwrap();
    let (mut first, mut second) = (pool.acquire(), pool.acquire());
    assert!(waits(&mut first));
    let (one, two) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    for (acquire, wakes) in [(&mut first, &one), (&mut second, &two)] {
        let waker = Waker::from(Arc::clone(wakes));
        assert!(Pin::new(acquire).poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(held);
    assert_eq!((one.0.load(Ordering::Relaxed), two.0.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn windows_cover_their_range_and_give_the_buffer_back() {
    let pool = BufferPool::new(1, 8192).unwrap();
    let mut window = pool.try_acquire().unwrap().window(4096..8192);
    assert!(window.as_ptr().addr().is_multiple_of(4096));
    window.fill(7);
    assert_eq!((window.len(), window.range()), (4096, 4096..8192));
    let buffer = window.into_buffer();
    assert_eq!((buffer[4095], buffer[4096], buffer[8191]), (0, 7, 7));
    drop(buffer.window(1..2));
    assert_eq!(pool.available(), 1);
}

#[test]
#[should_panic(expected = "leaves its buffer")]
fn a_window_outside_of_its_buffer_is_a_bug() {
    let pool = BufferPool::new(1, 4096).unwrap();
    drop(pool.try_acquire().unwrap().window(0..4097));
}

#[test]
fn a_pool_outlives_its_handle_while_buffers_are_out() {
    let pool = BufferPool::new(1, 4096).unwrap();
    let mut buffer = pool.try_acquire().unwrap();
    drop(pool);
    buffer.fill(1);
    assert!(buffer.iter().all(|byte| *byte == 1));
}
