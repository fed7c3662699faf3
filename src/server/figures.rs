//! Figures that are read when somebody asks for the metrics.

use crate::audit::AuditLog;
use crate::metrics::Registry;
use crate::store::lifecycle::Tally;
use crate::store::start::Monitor;

/// Registers the figures of the store.
pub(super) fn of_store(registry: &Registry, monitor: &Monitor) {
    let gauge = |name, help, read: fn(&Monitor) -> u64| {
        let monitor = monitor.clone();
        registry.gauge(name, help, move || read(&monitor));
    };
    gauge("extents", "Extent files.", |monitor| monitor.space().extents);
    gauge("extent_prepared_bytes", "Bytes of extent files.", |monitor| monitor.space().prepared_bytes);
    gauge("extent_free_bytes", "Bytes of extent files that are free.", |monitor| monitor.space().free_bytes);
    gauge("index_entries", "Entries of the index.", |monitor| monitor.index().entries);
    gauge("index_used_bytes", "Bytes of the index in use.", |monitor| monitor.index().bytes_used);
    gauge("index_file_bytes", "Size of the index file.", |monitor| monitor.index().file_bytes);
    gauge("accepting_writes", "1 while writes are accepted.", |monitor| u64::from(monitor.is_accepting()));
    gauge("lifecycle_due", "Hints of the lifecycle that are due, up to 10,000.", Monitor::lifecycle_due);
    gauge("lifecycle_sweeps", "Buckets that are swept for new rules.", Monitor::lifecycle_sweeps);
    let counter = |name, help, read: fn(&Monitor) -> u64| {
        let monitor = monitor.clone();
        registry.counter(name, help, move || read(&monitor));
    };
    counter("disk_reads", "Reads of extents.", |monitor| monitor.disk().reads);
    counter("disk_read_bytes", "Bytes read from extents.", |monitor| monitor.disk().read_bytes);
    counter("disk_writes", "Writes of extents.", |monitor| monitor.disk().writes);
    counter("disk_written_bytes", "Bytes written to extents.", |monitor| monitor.disk().written_bytes);
    counter("disk_syncs", "Syncs of extents.", |monitor| monitor.disk().syncs);
    lifecycle_counters(registry, monitor);
}

fn lifecycle_counters(registry: &Registry, monitor: &Monitor) {
    let counter = |name, help, read: fn(&Tally) -> u64| {
        let monitor = monitor.clone();
        registry.counter(name, help, move || read(&monitor.lifecycle()));
    };
    counter("lifecycle_expired_objects", "Current objects that expired.", |tally| tally.expired_objects);
    counter("lifecycle_deleted_versions", "Noncurrent versions that went.", |tally| tally.deleted_versions);
    counter("lifecycle_removed_markers", "Delete markers that were all there was.", |tally| {
        tally.removed_markers
    });
    counter("lifecycle_aborted_uploads", "Uploads that were not completed.", |tally| tally.aborted_uploads);
}

/// Registers the figures of the audit log.
pub(super) fn of_audit_log(registry: &Registry, log: &AuditLog) {
    let written = log.clone();
    registry.counter("audit_lines", "Lines written to the audit log.", move || written.written());
    let lost = log.clone();
    registry.counter("audit_lines_lost", "Lines that the audit log lost.", move || lost.lost());
}
