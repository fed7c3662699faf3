//! Command line: one subcommand, `run`.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs one workload and prints its figures.
    Run(RunOptions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    Get,
    Put,
}

#[derive(Args)]
pub(crate) struct RunOptions {
    /// Where the server listens, such as http://127.0.0.1:9000 (plain HTTP only).
    #[arg(long, value_parser = parse_endpoint)]
    pub(crate) endpoint: String,
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    pub(crate) access_key: String,
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub(crate) secret_key: String,
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = "local-1")]
    pub(crate) region: String,
    #[arg(long)]
    pub(crate) bucket: String,
    /// Creates the bucket first; one that exists is fine.
    #[arg(long)]
    pub(crate) create_bucket: bool,
    #[arg(long, value_enum)]
    pub(crate) operation: Operation,
    /// Size of every object, such as 4KiB or 1MiB.
    #[arg(long, value_parser = parse_size)]
    pub(crate) size: usize,
    /// Connections, each with one request under way at a time.
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Different keys for each connection; a PUT overwrites them in turn.
    #[arg(long, default_value_t = 16)]
    pub(crate) keys: usize,
    /// Requests a second over all connections, sent by the clock; latency then counts from when each was to be sent.
    /// Without a rate every connection sends its next request when the last is answered.
    #[arg(long)]
    pub(crate) rate: Option<std::num::NonZeroU32>,
    /// How long to measure, such as 10s.
    #[arg(long, default_value = "10s", value_parser = parse_duration)]
    pub(crate) duration: Duration,
    /// How long to run before the measurement.
    #[arg(long, default_value = "2s", value_parser = parse_duration)]
    pub(crate) warmup: Duration,
    /// Process whose CPU time is divided by the operations, read from /proc.
    #[arg(long)]
    pub(crate) server_pid: Option<u32>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Checks the scheme and gives the `host:port` part.
fn parse_endpoint(text: &str) -> Result<String, String> {
    let authority = text.strip_prefix("http://").ok_or("an endpoint starts with http://")?;
    let authority = authority.trim_end_matches('/');
    if authority.contains('/') || !authority.contains(':') {
        return Err("an endpoint is http://HOST:PORT".to_owned());
    }
    Ok(authority.to_owned())
}

fn parse_size(text: &str) -> Result<usize, String> {
    let digits_end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let number: usize = digits.parse().map_err(|_| format!("{text:?} is not a size"))?;
    let factor = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(format!("{unit:?} is not one of B, KiB, MiB, GiB")),
    };
    number.checked_mul(factor).ok_or_else(|| format!("{text:?} is too large"))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || format!("{text:?} is not a duration such as 10s or 500ms");
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().map(Duration::from_millis).map_err(|_| refuse());
    }
    let number = text.strip_suffix('s').ok_or_else(refuse)?;
    number.parse().map(Duration::from_secs).map_err(|_| refuse())
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
