use std::fs;

use super::*;
use crate::audit::Entry;

const BYTES_MAX: u64 = 1024 * 1024;

fn entry(key: &str) -> Entry<'_> {
    Entry { key: Some(key), ..Entry::default() }
}

#[test]
fn lines_are_in_the_file_soon() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let (log, thread) = AuditThread::start(&path, BYTES_MAX, 1).unwrap();
    log.record(&entry("k"));
    let started = Instant::now();
    while log.written() == 0 {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(fs::read(&path).unwrap(), entry("k").line());
    thread.stop();
}

#[test]
fn a_stop_writes_what_all_cores_have_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let (log, thread) = AuditThread::start(&path, 8 * BYTES_MAX, 1).unwrap();
    std::thread::scope(|cores| {
        for core in ["a", "b"] {
            let log = log.clone();
            cores.spawn(move || (0..3000).for_each(|_| log.record(&entry(core))));
        }
    });
    thread.stop();
    assert_eq!((log.written(), log.lost()), (6000, 0));
    let text = fs::read_to_string(&path).unwrap();
    let count = |key: &str| text.lines().filter(|line| line.contains(&format!(r#""key":"{key}""#))).count();
    assert_eq!((count("a"), count("b"), text.lines().count()), (3000, 3000, 6000));
    log.record(&entry("late"));
    assert_eq!(log.lost(), 1);
}

#[test]
fn no_file_exceeds_its_size() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.log");
    let (log, thread) = AuditThread::start(&path, BYTES_MAX, 2).unwrap();
    let key = "k".repeat(1000);
    // In steps, as a burst would not fit the queue.
    for recorded in 1..=4u64 {
        (0..1000).for_each(|_| log.record(&entry(&key)));
        while log.written() < recorded * 1000 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    thread.stop();
    let sizes = ["audit.log", "audit.log.1", "audit.log.2", "audit.log.3"]
        .map(|name| fs::metadata(directory.path().join(name)).map_or(0, |metadata| metadata.len()));
    assert!(sizes[..3].iter().all(|bytes| (1..=BYTES_MAX).contains(bytes)), "{sizes:?}");
    assert_eq!(sizes[3], 0, "only two are kept");
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("absent/audit.log");
    let error = AuditThread::start(&path, BYTES_MAX, 1).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the audit log ") && error.contains("absent/audit.log: No such"));
}
