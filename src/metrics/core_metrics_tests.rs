use super::*;

fn sample(status: u16, duration_us: u64) -> RequestSample {
    RequestSample { operation: 0, status, bytes_in: 3, bytes_out: 5, duration_us }
}

fn totals(core: &CoreMetrics) -> OperationTotals {
    let mut totals = OperationTotals::default();
    core.add_operation_to(0, &mut totals);
    totals
}

#[test]
fn counts_by_class_and_bucket() {
    let core = CoreMetrics::new(1, 0);
    for (status, duration_us) in [(200, 0), (204, 100), (304, 101), (404, 10_000_000), (503, 10_000_001)] {
        core.request(&sample(status, duration_us));
    }
    let totals = totals(&core);
    assert_eq!(totals.by_status_class, [0, 2, 1, 1, 1]);
    assert_eq!((totals.bytes_in, totals.bytes_out, totals.duration_us_sum), (15, 25, 20_000_202));
    let mut buckets = [0; DURATION_BUCKETS];
    (buckets[0], buckets[1], buckets[15], buckets[16]) = (2, 1, 1, 1);
    assert_eq!(totals.duration_buckets, buckets);
}

#[test]
fn bounds_ascend() {
    assert!(DURATION_BOUNDS_US.is_sorted_by(|one, next| one < next));
}

#[test]
fn indexes_outside_the_tables_are_ignored() {
    let core = CoreMetrics::new(0, 0);
    core.request(&sample(200, 1));
    core.error(7);
    assert_eq!(totals(&core), OperationTotals::default());
    assert_eq!(core.errors(7), 0);
}

#[test]
fn odd_statuses_stay_in_range() {
    let core = CoreMetrics::new(1, 0);
    core.request(&sample(0, 1));
    core.request(&sample(999, 1));
    assert_eq!(totals(&core).by_status_class, [1, 0, 0, 0, 1]);
}

#[test]
fn open_connections_are_accepted_less_closed() {
    let core = CoreMetrics::new(0, 0);
    core.connection_accepted();
    core.connection_accepted();
    core.connection_closed();
    assert_eq!(core.connections(), (2, 1));
}
