//! The registry: the cores' counters, the callbacks, and the scrape that writes them all.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;

use super::core_metrics::{CoreMetrics, DURATION_BOUNDS_US, OperationTotals, STATUS_CLASSES};

/// Media type of [`Registry::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX: &str = "ringstone";

/// Counters of all cores and what is asked for on each scrape. Shared between threads.
#[derive(Debug, Clone)]
pub struct Registry {
    sources: Arc<Sources>,
}

#[derive(Debug)]
struct Sources {
    operation_names: Vec<&'static str>,
    error_names: Vec<&'static str>,
    cores: Vec<Arc<CoreMetrics>>,
    callbacks: Mutex<Vec<Callback>>,
}

/// A number that somebody else keeps.
struct Callback {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    read: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Registry {
    /// Counters for that many cores; operations are counted by their index in the table of names.
    pub fn new(cores: usize, operation_names: &[&'static str]) -> Self {
        Self::with_error_names(cores, operation_names, &[])
    }

    /// As [`Registry::new`], with a table of error codes to count too.
    pub fn with_error_names(
        cores: usize,
        operation_names: &[&'static str],
        error_names: &[&'static str],
    ) -> Self {
        let core = |_| Arc::new(CoreMetrics::new(operation_names.len(), error_names.len()));
        let sources = Sources {
            operation_names: operation_names.to_vec(),
            error_names: error_names.to_vec(),
            cores: (0..cores).map(core).collect(),
            callbacks: Mutex::new(Vec::new()),
        };
        Self { sources: Arc::new(sources) }
    }

    /// Counters of one core.
    ///
    /// # Panics
    ///
    /// If the registry was made for fewer cores.
    pub fn core(&self, core: usize) -> Arc<CoreMetrics> {
        Arc::clone(&self.sources.cores[core])
    }

    /// Adds a gauge that `read` gives on each scrape. The name goes without the prefix and with its unit, such
    /// as `free_bytes`; `read` must not block.
    pub fn gauge(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.callback(Callback { name, help, kind: MetricType::Gauge, read: Box::new(read) });
    }

    /// Adds a counter that `read` gives on each scrape. The name goes without the prefix and without `_total`.
    pub fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.callback(Callback { name, help, kind: MetricType::Counter, read: Box::new(read) });
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Arc::clone(&self.sources)));
        let mut text = String::new();
        if prometheus_text::encode(&mut text, &registry).is_err() {
            // A String takes every write, so only a defect of the encoder comes here; an empty page shows it.
            tracing::error!("the metrics could not be written");
            text.clear();
        }
        text
    }

    fn callback(&self, callback: Callback) {
        self.sources.callbacks.lock().unwrap_or_else(PoisonError::into_inner).push(callback);
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let operations: Vec<(&'static str, OperationTotals)> = self
            .operation_names
            .iter()
            .enumerate()
            .map(|(index, name)| (*name, self.totals(index)))
            .collect();
        encode_requests(&mut encoder, &operations)?;
        encode_bytes(&mut encoder, &operations)?;
        encode_durations(&mut encoder, &operations)?;
        self.encode_errors(&mut encoder)?;
        self.encode_connections(&mut encoder)?;
        for callback in self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let metric = encoder.encode_descriptor(callback.name, callback.help, None, callback.kind)?;
            encode_number(metric, callback.kind, (callback.read)())?;
        }
        Ok(())
    }
}

impl Sources {
    fn totals(&self, operation: usize) -> OperationTotals {
        let mut totals = OperationTotals::default();
        for core in &self.cores {
            core.add_operation_to(operation, &mut totals);
        }
        totals
    }

    fn encode_errors(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Error answers by code";
        let mut metric = encoder.encode_descriptor("errors", help, None, MetricType::Counter)?;
        for (index, name) in self.error_names.iter().enumerate() {
            let count = self.cores.iter().map(|core| core.errors(index)).sum();
            encode_labelled(&mut metric, &[("code", *name)], count)?;
        }
        Ok(())
    }

    fn encode_connections(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (accepted, open) = self
            .cores
            .iter()
            .map(|core| core.connections())
            .fold((0, 0), |(accepted, open), core| (accepted + core.0, open + core.1));
        let help = "Connections accepted";
        let metric = encoder.encode_descriptor("connections_accepted", help, None, MetricType::Counter)?;
        encode_number(metric, MetricType::Counter, accepted)?;
        let help = "Connections open";
        let metric = encoder.encode_descriptor("connections_open", help, None, MetricType::Gauge)?;
        encode_number(metric, MetricType::Gauge, open)
    }
}

fn encode_requests(
    encoder: &mut DescriptorEncoder<'_>,
    operations: &[(&'static str, OperationTotals)],
) -> fmt::Result {
    let help = "Requests by operation and status class";
    let mut metric = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
    for (name, totals) in operations {
        for (class, count) in STATUS_CLASSES.iter().zip(totals.by_status_class) {
            encode_labelled(&mut metric, &[("operation", *name), ("status", *class)], count)?;
        }
    }
    Ok(())
}

fn encode_bytes(
    encoder: &mut DescriptorEncoder<'_>,
    operations: &[(&'static str, OperationTotals)],
) -> fmt::Result {
    let help = "Body bytes received by operation";
    let mut metric = encoder.encode_descriptor("received_bytes", help, None, MetricType::Counter)?;
    for (name, totals) in operations {
        encode_labelled(&mut metric, &[("operation", *name)], totals.bytes_in)?;
    }
    let help = "Body bytes sent by operation";
    let mut metric = encoder.encode_descriptor("sent_bytes", help, None, MetricType::Counter)?;
    for (name, totals) in operations {
        encode_labelled(&mut metric, &[("operation", *name)], totals.bytes_out)?;
    }
    Ok(())
}

fn encode_durations(
    encoder: &mut DescriptorEncoder<'_>,
    operations: &[(&'static str, OperationTotals)],
) -> fmt::Result {
    let help = "Duration of requests by operation";
    let mut metric =
        encoder.encode_descriptor("request_duration_seconds", help, None, MetricType::Histogram)?;
    let bounds_s = || DURATION_BOUNDS_US.iter().map(|bound| seconds(*bound)).chain([f64::INFINITY]);
    for (name, totals) in operations {
        let count = totals.duration_buckets.iter().sum();
        // Operations that nobody called would fill the page.
        if count == 0 {
            continue;
        }
        let buckets: Vec<(f64, u64)> = bounds_s().zip(totals.duration_buckets).collect();
        metric.encode_family(&[("operation", *name)])?.encode_histogram::<NoLabelSet>(
            seconds(totals.duration_us_sum),
            count,
            &buckets,
            None,
        )?;
    }
    Ok(())
}

/// Writes one sample of a counter, unless it is zero: most pairs of operation and status never occur.
fn encode_labelled<const N: usize>(
    metric: &mut MetricEncoder<'_>,
    labels: &[(&'static str, &'static str); N],
    count: u64,
) -> fmt::Result {
    if count == 0 {
        return Ok(());
    }
    encode_number(metric.encode_family(labels)?, MetricType::Counter, count)
}

fn encode_number(mut metric: MetricEncoder<'_>, kind: MetricType, number: u64) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, u64, f64>(&number, None),
        _ => metric.encode_gauge(&number),
    }
}

/// Exact up to 2^53 microseconds: 285 years.
#[expect(clippy::cast_precision_loss, reason = "durations stay far below 2^53 microseconds")]
fn seconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1_000_000.0
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Callback").field(&self.name).finish()
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
