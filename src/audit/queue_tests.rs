use super::*;
use crate::config::limits::KEY_BYTES_MAX;

fn entry(key: &str) -> Entry<'_> {
    Entry { key: Some(key), ..Entry::default() }
}

#[test]
fn lines_come_out_in_the_order_of_their_recording() {
    let (log, queue) = AuditLog::new();
    for key in ["a", "b", "c"] {
        log.clone().record(&entry(key));
    }
    let mut batch = Vec::new();
    queue.drain_into(&mut batch, usize::MAX);
    let expected: Vec<u8> = ["a", "b", "c"].iter().flat_map(|key| entry(key).line()).collect();
    assert_eq!(batch, expected);
    assert_eq!((log.lost(), queue.tally.queued_bytes.load(Relaxed)), (0, 0));
}

#[test]
fn a_drain_ends_with_the_line_that_fills_it() {
    let (log, queue) = AuditLog::new();
    (0..5).for_each(|_| log.record(&entry("k")));
    let length = entry("k").line().len();
    let mut batch = Vec::new();
    queue.drain_into(&mut batch, length + 1);
    assert_eq!(batch.len(), 2 * length);
}

#[test]
fn a_full_queue_loses_lines_and_counts_them() {
    let (log, queue) = AuditLog::new();
    (0..AUDIT_QUEUE_LINES_MAX + 3).for_each(|_| log.record(&entry("k")));
    assert_eq!(log.lost(), 3);
    let mut batch = Vec::new();
    queue.drain_into(&mut batch, usize::MAX);
    assert_eq!(memchr::memchr_iter(b'\n', &batch).count(), AUDIT_QUEUE_LINES_MAX);
    log.record(&entry("k"));
    assert_eq!(log.lost(), 3);
}

#[test]
fn long_lines_fill_the_queue_by_their_bytes() {
    let (log, queue) = AuditLog::new();
    let key = "\u{1}".repeat(KEY_BYTES_MAX);
    let length = entry(&key).line().len();
    let fit = AUDIT_QUEUE_BYTES_MAX / length;
    assert!(fit < AUDIT_QUEUE_LINES_MAX);
    (0..fit + 2).for_each(|_| log.record(&entry(&key)));
    assert_eq!(log.lost(), 2);
    assert_eq!(queue.tally.queued_bytes.load(Relaxed), fit * length);
}

#[test]
fn without_a_thread_all_is_lost() {
    let (log, queue) = AuditLog::new();
    drop(queue);
    log.record(&entry("k"));
    assert_eq!((log.lost(), log.written()), (1, 0));
}
