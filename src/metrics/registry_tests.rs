use std::sync::atomic::{AtomicU64, Ordering};

use super::super::RequestSample;
use super::*;

fn registry() -> Registry {
    Registry::with_error_names(2, &["PutObject", "GetObject"], &["NoSuchKey", "AccessDenied"])
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|found| found == line)
}

#[test]
fn cores_are_added_up() {
    let registry = registry();
    for core in 0..2 {
        let core = registry.core(core);
        core.request(&RequestSample {
            operation: 1,
            status: 200,
            bytes_in: 0,
            bytes_out: 4096,
            duration_us: 300,
        });
        core.error(0);
        core.connection_accepted();
    }
    registry.core(1).connection_closed();
    let text = registry.render();
    for line in [
        "ringstone_requests_total{operation=\"GetObject\",status=\"2xx\"} 2",
        "ringstone_sent_bytes_total{operation=\"GetObject\"} 8192",
        "ringstone_request_duration_seconds_count{operation=\"GetObject\"} 2",
        "ringstone_request_duration_seconds_sum{operation=\"GetObject\"} 0.0006",
        "ringstone_request_duration_seconds_bucket{operation=\"GetObject\",le=\"0.00025\"} 0",
        "ringstone_request_duration_seconds_bucket{operation=\"GetObject\",le=\"0.0005\"} 2",
        "ringstone_request_duration_seconds_bucket{operation=\"GetObject\",le=\"+Inf\"} 2",
        "ringstone_errors_total{code=\"NoSuchKey\"} 2",
        "ringstone_connections_accepted_total 2",
        "ringstone_connections_open 1",
    ] {
        assert!(has_line(&text, line), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("PutObject") && !text.contains("AccessDenied"), "{text}");
}

#[test]
fn callbacks_are_asked_on_each_scrape() {
    let registry = registry();
    let free = Arc::new(AtomicU64::new(7));
    let shared = Arc::clone(&free);
    registry.gauge("free_bytes", "Free bytes", move || shared.load(Ordering::Relaxed));
    registry.counter("commits", "Group commits", || 3);
    assert!(has_line(&registry.render(), "ringstone_free_bytes 7"));
    free.store(8, Ordering::Relaxed);
    let text = registry.render();
    assert!(has_line(&text, "ringstone_free_bytes 8"), "{text}");
    assert!(has_line(&text, "# TYPE ringstone_free_bytes gauge"), "{text}");
    assert!(has_line(&text, "ringstone_commits_total 3"), "{text}");
}

#[test]
fn registry_without_errors_ignores_them() {
    let registry = Registry::new(1, &["PutObject"]);
    registry.core(0).error(0);
    assert!(!registry.render().contains("code="));
}
