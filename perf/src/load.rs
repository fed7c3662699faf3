//! The load: every connection has a thread, and sends its next request when the last is answered, or by the clock where a
//! rate is asked for.
//!
//! At a rate, latency counts from the moment at which a request was to be sent: one that waits behind a slow answer is
//! slow itself, as it would be for whoever wants it.

use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::cli::{Operation, RunOptions};
use crate::connection::Connection;
use crate::environment::process_cpu;
use crate::sign::date_now;
use crate::workload::{Workload, presigned_head};

/// Latencies are kept up to a minute with three digits.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// What all connections measured together.
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) elapsed: Duration,
    pub(crate) latency_ns: Histogram<u64>,
    pub(crate) server_cpu: Option<Duration>,
}

/// What one connection measured.
struct Tally {
    requests: u64,
    errors: u64,
    first_error: Option<String>,
    latency_ns: Histogram<u64>,
}

impl Tally {
    fn new() -> Self {
        let latency_ns = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("the bounds are in order");
        Self { requests: 0, errors: 0, first_error: None, latency_ns }
    }

    fn error(&mut self, text: String) {
        self.errors += 1;
        self.first_error.get_or_insert(text);
    }
}

/// Measured time: from the end of the warm-up until the deadline.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

/// When a connection sends.
#[derive(Clone, Copy)]
enum Pace {
    /// As soon as it can.
    Closed,
    /// So long after the last one was to be sent; the first so long after the start.
    Clocked { first: Duration, interval: Duration },
}

impl Pace {
    /// The connections take turns.
    fn of(options: &RunOptions, number: usize) -> Self {
        let Some(rate) = options.rate else { return Self::Closed };
        let turn = Duration::from_secs(1) / rate.get();
        let turns = |count: usize| turn * u32::try_from(count).unwrap_or(u32::MAX);
        Self::Clocked { first: turns(number), interval: turns(options.connections) }
    }

    /// Waits for the turn of the request of this number and says when it is to be sent.
    fn wait(self, started: Instant, number: u32) -> Instant {
        let Self::Clocked { first, interval } = self else { return Instant::now() };
        let due = started + first + interval * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due
    }
}

/// Prepares the objects, warms up, measures.
pub(crate) fn run(options: &RunOptions) -> Result<Outcome, String> {
    let date = date_now();
    if options.create_bucket {
        create_bucket(options, &date)?;
    }
    // All connections leave the preparation together; the main thread then sets the clock.
    let prepared = Barrier::new(options.connections + 1);
    let started = Barrier::new(options.connections + 1);
    let window = std::sync::OnceLock::new();
    thread::scope(|scope| {
        let connections: Vec<_> = (0..options.connections)
            .map(|number| {
                let (prepared, started, window, date) = (&prepared, &started, &window, date.as_str());
                scope.spawn(move || {
                    let workload = Workload::new(options, date, number);
                    let connection = prepare(options, &workload);
                    prepared.wait();
                    started.wait();
                    let window = *window.get().expect("the window is set before the start");
                    let pace = Pace::of(options, number);
                    connection.map(|connection| measure(options, &workload, connection, window, pace))
                })
            })
            .collect();
        prepared.wait();
        let from = Instant::now() + options.warmup;
        let bounds = Window { from, until: from + options.duration };
        window.get_or_init(|| bounds);
        started.wait();
        let server_cpu = watch_server(options, bounds);
        let tallies: Result<Vec<Tally>, String> = connections
            .into_iter()
            .map(|thread| thread.join().expect("a connection's thread panicked"))
            .collect();
        Ok(sum(tallies?, options.duration, server_cpu?))
    })
}

fn create_bucket(options: &RunOptions, date: &str) -> Result<(), String> {
    let body = format!(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
        options.region
    );
    let head = presigned_head(options, date, "PUT", &format!("/{}", options.bucket), Some(body.len()));
    let mut connection = Connection::open(&options.endpoint).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let (status, _) = connection
        .request(&head, body.as_bytes(), |piece| answer.extend_from_slice(piece))
        .map_err(|error| error.to_string())?;
    if status == 200 || status == 409 {
        return Ok(());
    }
    Err(format!("creating the bucket: status {status}: {}", String::from_utf8_lossy(&answer)))
}

/// Opens the connection, stores every object of a GET workload and checks that one reads back whole.
fn prepare(options: &RunOptions, workload: &Workload) -> Result<Connection, String> {
    let refuse = |error: &dyn std::fmt::Display| format!("preparing: {error}");
    let mut connection = Connection::open(&options.endpoint).map_err(|error| refuse(&error))?;
    if options.operation == Operation::Put {
        return Ok(connection);
    }
    for head in &workload.puts {
        let (status, _) =
            connection.request(head, &workload.content, |_| ()).map_err(|error| refuse(&error))?;
        // 201 and 204 are what WebDAV servers say.
        if !matches!(status, 200 | 201 | 204) {
            return Err(refuse(&format!("a PUT gave {status}")));
        }
    }
    let mut read = Vec::with_capacity(options.size);
    let head = workload.gets.first().ok_or("at least one key is needed")?;
    connection.request(head, b"", |piece| read.extend_from_slice(piece)).map_err(|error| refuse(&error))?;
    if read != workload.content {
        return Err(refuse(&"an object reads back differently"));
    }
    Ok(connection)
}

/// Sends requests until the window ends; counts those that lie wholly inside it.
fn measure(
    options: &RunOptions,
    workload: &Workload,
    mut connection: Connection,
    window: Window,
    pace: Pace,
) -> Tally {
    let mut tally = Tally::new();
    let started = Instant::now();
    let (heads, body): (_, &[u8]) = match options.operation {
        Operation::Get => (&workload.gets, b""),
        Operation::Put => (&workload.puts, &workload.content),
    };
    for (head, number) in heads.iter().cycle().zip(0..) {
        let sent = pace.wait(started, number);
        if sent >= window.until {
            break;
        }
        let answered = connection.request(head, body, |_| ());
        let latency = sent.elapsed();
        match answered {
            Ok((status, length)) if is_success(options, status, length) => {
                if sent >= window.from && sent + latency <= window.until {
                    tally.requests += 1;
                    let latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_NS_MAX);
                    tally.latency_ns.saturating_record(latency_ns);
                }
            }
            Ok((status, length)) => tally.error(format!("status {status} with {length} bytes")),
            Err(error) => {
                tally.error(error.to_string());
                // The connection's state is unknown; a new one, or the end.
                match reopen(options) {
                    Ok(fresh) => connection = fresh,
                    Err(_) => break,
                }
            }
        }
    }
    tally
}

fn reopen(options: &RunOptions) -> io::Result<Connection> {
    Connection::open(&options.endpoint)
}

fn is_success(options: &RunOptions, status: u16, length: usize) -> bool {
    match options.operation {
        Operation::Get => status == 200 && length == options.size,
        Operation::Put => matches!(status, 200 | 201 | 204),
    }
}

/// CPU time that the server spends inside the window.
fn watch_server(options: &RunOptions, window: Window) -> Result<Option<Duration>, String> {
    let Some(pid) = options.server_pid else { return Ok(None) };
    thread::sleep(window.from.saturating_duration_since(Instant::now()));
    let before = process_cpu(pid)?;
    thread::sleep(window.until.saturating_duration_since(Instant::now()));
    Ok(Some(process_cpu(pid)?.saturating_sub(before)))
}

fn sum(tallies: Vec<Tally>, elapsed: Duration, server_cpu: Option<Duration>) -> Outcome {
    let mut all = Tally::new();
    for tally in tallies {
        all.requests += tally.requests;
        all.errors += tally.errors;
        all.latency_ns.add(&tally.latency_ns).expect("all histograms have the same bounds");
        if let Some(text) = tally.first_error {
            all.first_error.get_or_insert(text);
        }
    }
    let Tally { requests, errors, first_error, latency_ns } = all;
    Outcome { requests, errors, first_error, elapsed, latency_ns, server_cpu }
}
