//! What one core counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the duration histogram in microseconds: from an inline read to a long upload.
pub(super) const DURATION_BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// The bounds and one bucket for all that took longer.
const DURATION_BUCKETS: usize = DURATION_BOUNDS_US.len() + 1;

/// Labels of the status classes, in the order of their counters.
pub(super) const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A finished request.
#[derive(Clone, Copy, Debug)]
pub struct RequestSample {
    /// Index of the operation in the registry's table.
    pub operation: usize,
    pub status: u16,
    /// Bytes of body received.
    pub bytes_in: u64,
    /// Bytes of body sent.
    pub bytes_out: u64,
    /// From the whole head to the response being ready to send.
    pub duration_us: u64,
}

/// Counters of one core. Written by that core alone, read by scrapes; aligned so that two cores never share a
/// cache line (128 bytes: the adjacent-line prefetcher works in pairs).
#[derive(Debug)]
#[repr(align(128))]
pub struct CoreMetrics {
    operations: Box<[OperationMetrics]>,
    errors: Box<[AtomicU64]>,
    connections_accepted: AtomicU64,
    connections_closed: AtomicU64,
}

/// Counters of one operation on one core.
#[derive(Debug, Default)]
#[repr(align(128))]
struct OperationMetrics {
    by_status_class: [AtomicU64; STATUS_CLASSES.len()],
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    duration_us_sum: AtomicU64,
    duration_buckets: [AtomicU64; DURATION_BUCKETS],
}

/// Counters of one operation, added up over cores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OperationTotals {
    pub(super) by_status_class: [u64; STATUS_CLASSES.len()],
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) duration_us_sum: u64,
    pub(super) duration_buckets: [u64; DURATION_BUCKETS],
}

impl CoreMetrics {
    pub(super) fn new(operations: usize, errors: usize) -> Self {
        Self {
            operations: (0..operations).map(|_| OperationMetrics::default()).collect(),
            errors: (0..errors).map(|_| AtomicU64::new(0)).collect(),
            connections_accepted: AtomicU64::new(0),
            connections_closed: AtomicU64::new(0),
        }
    }

    /// Counts a finished request. An operation outside the table counts nowhere.
    pub fn request(&self, sample: &RequestSample) {
        let Some(operation) = self.operations.get(sample.operation) else { return };
        let class = usize::from(sample.status / 100).clamp(1, STATUS_CLASSES.len()) - 1;
        operation.by_status_class[class].fetch_add(1, Relaxed);
        operation.duration_buckets[bucket_of(sample.duration_us)].fetch_add(1, Relaxed);
        operation.duration_us_sum.fetch_add(sample.duration_us, Relaxed);
        if sample.bytes_in > 0 {
            operation.bytes_in.fetch_add(sample.bytes_in, Relaxed);
        }
        if sample.bytes_out > 0 {
            operation.bytes_out.fetch_add(sample.bytes_out, Relaxed);
        }
    }

    /// Counts an error answer by the index of its code. A code outside the table counts nowhere.
    pub fn error(&self, code: usize) {
        if let Some(counter) = self.errors.get(code) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Counts a connection that was accepted; pairs with [`CoreMetrics::connection_closed`].
    pub fn connection_accepted(&self) {
        self.connections_accepted.fetch_add(1, Relaxed);
    }

    /// Counts a connection that ended.
    pub fn connection_closed(&self) {
        self.connections_closed.fetch_add(1, Relaxed);
    }

    pub(super) fn add_operation_to(&self, operation: usize, totals: &mut OperationTotals) {
        let Some(counters) = self.operations.get(operation) else { return };
        add(&counters.by_status_class, &mut totals.by_status_class);
        add(&counters.duration_buckets, &mut totals.duration_buckets);
        totals.bytes_in += counters.bytes_in.load(Relaxed);
        totals.bytes_out += counters.bytes_out.load(Relaxed);
        totals.duration_us_sum += counters.duration_us_sum.load(Relaxed);
    }

    pub(super) fn errors(&self, code: usize) -> u64 {
        self.errors.get(code).map_or(0, |counter| counter.load(Relaxed))
    }

    /// Connections accepted, and those of them still open.
    pub(super) fn connections(&self) -> (u64, u64) {
        // Closed first: a connection that comes and goes between the two loads must not make this negative.
        let closed = self.connections_closed.load(Relaxed);
        let accepted = self.connections_accepted.load(Relaxed);
        (accepted, accepted.saturating_sub(closed))
    }
}

fn bucket_of(duration_us: u64) -> usize {
    DURATION_BOUNDS_US.partition_point(|bound| *bound < duration_us)
}

fn add<const N: usize>(counters: &[AtomicU64; N], totals: &mut [u64; N]) {
    for (total, counter) in totals.iter_mut().zip(counters) {
        *total += counter.load(Relaxed);
    }
}

#[cfg(test)]
#[path = "core_metrics_tests.rs"]
mod tests;
