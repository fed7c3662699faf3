//! The figures of a run as text or JSON.

use serde_json::json;

use crate::cli::RunOptions;
use crate::environment;
use crate::load::Outcome;

const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn print(options: &RunOptions, outcome: &Outcome) {
    if options.json {
        println!("{}", as_json(options, outcome));
    } else {
        print_text(options, outcome);
    }
}

fn requests_per_s(outcome: &Outcome) -> f64 {
    as_float(outcome.requests) / outcome.elapsed.as_secs_f64()
}

fn mib_per_s(options: &RunOptions, outcome: &Outcome) -> f64 {
    requests_per_s(outcome) * as_float(options.size as u64) / MIB
}

/// CPU microseconds of the server for each counted request.
fn server_cpu_us(outcome: &Outcome) -> Option<f64> {
    let cpu = outcome.server_cpu?;
    (outcome.requests > 0).then(|| cpu.as_secs_f64() * 1e6 / as_float(outcome.requests))
}

fn latency_us(outcome: &Outcome, quantile: f64) -> f64 {
    as_float(outcome.latency_ns.value_at_quantile(quantile)) / 1e3
}

/// Counts here stay far below 2^53, where a float is exact.
#[allow(clippy::cast_precision_loss)]
fn as_float(count: u64) -> f64 {
    count as f64
}

fn as_json(options: &RunOptions, outcome: &Outcome) -> serde_json::Value {
    json!({
        "operation": format!("{:?}", options.operation).to_uppercase(),
        "size_bytes": options.size,
        "connections": options.connections,
        "rate": options.rate,
        "keys_per_connection": options.keys,
        "measured_s": outcome.elapsed.as_secs_f64(),
        "warmup_s": options.warmup.as_secs_f64(),
        "requests": outcome.requests,
        "errors": outcome.errors,
        "first_error": outcome.first_error,
        "requests_per_s": requests_per_s(outcome),
        "mib_per_s": mib_per_s(options, outcome),
        "latency_us": {
            "p50": latency_us(outcome, 0.5),
            "p99": latency_us(outcome, 0.99),
            "p999": latency_us(outcome, 0.999),
            "max": as_float(outcome.latency_ns.max()) / 1e3,
        },
        "server_cpu_us_per_request": server_cpu_us(outcome),
        "environment": environment::line(),
    })
}

fn print_text(options: &RunOptions, outcome: &Outcome) {
    println!(
        "{:?} of {} bytes over {} connections, {:.1} s after {:.1} s of warm-up",
        options.operation,
        options.size,
        options.connections,
        outcome.elapsed.as_secs_f64(),
        options.warmup.as_secs_f64()
    );
    println!("  {:.0} requests/s, {:.1} MiB/s", requests_per_s(outcome), mib_per_s(options, outcome));
    println!(
        "  latency p50 {:.0} us, p99 {:.0} us, p999 {:.0} us",
        latency_us(outcome, 0.5),
        latency_us(outcome, 0.99),
        latency_us(outcome, 0.999)
    );
    if let Some(cpu_us) = server_cpu_us(outcome) {
        println!("  server CPU {cpu_us:.1} us a request");
    }
    if outcome.errors > 0 {
        let first = outcome.first_error.as_deref().unwrap_or_default();
        println!("  {} errors, the first: {first}", outcome.errors);
    }
    println!("  {}", environment::line());
}
