//! The table of scalar keys: name, meaning, rule. File keys, variables and flags come from here.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

use super::limits::{
    AUDIT_LOG_BYTES_MAX, AUDIT_LOG_BYTES_MIN, AUDIT_LOG_FILES_MAX, BUFFER_BYTES, BUFFER_POOL_BYTES_MAX,
    BUFFER_POOL_BYTES_MIN, CORES_MAX, DOMAIN_BYTES_MAX, DRAIN_TIMEOUT_S_MAX, EXTENT_BYTES_MAX,
    EXTENT_BYTES_MIN, EXTENT_STEP_BYTES, FREE_SPACE_RESERVE_BYTES_MAX, FREE_SPACE_RESERVE_BYTES_MIN,
    OWNER_NAME_BYTES_MAX, TRUSTED_PROXIES_MAX,
};
use super::{ByteSize, Calendar, Config, format_duration, parse_duration};

/// How a key's value is written in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// Strings, one after the other; separated by commas where a text is wanted.
    List,
    Number,
    /// A string with a unit, or a plain number.
    Quantity,
    Switch,
}

/// One scalar key.
pub struct Key {
    /// Name in the file: `extent_size`; with a dot where it stands in a table: `lifecycle.test_day_s`.
    pub name: &'static str,
    /// Name of the flag, without its dashes: `extent-size`.
    pub flag: &'static str,
    /// One line for `--help`.
    pub help: &'static str,
    /// Placeholder for `--help`.
    pub value_name: &'static str,
    pub(super) form: Form,
    /// Judges a text and puts it into the configuration; a refusal says what is allowed.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
}

impl Key {
    /// Name of the variable: `RINGSTONE_EXTENT_SIZE`.
    pub fn variable(&self) -> String {
        format!("RINGSTONE_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Whether the flag may stand without a value, meaning true.
    pub fn is_switch(&self) -> bool {
        self.form == Form::Switch
    }
}

/// Every scalar key, in the order of `default.toml`.
pub const KEYS: &[Key] = &[
    Key {
        name: "data_dir",
        flag: "data-dir",
        help: "Directory of extents, index and credentials",
        value_name: "PATH",
        form: Form::Text,
        set: |config, text| path(text).map(|path| config.data_dir = path),
    },
    Key {
        name: "listen",
        flag: "listen",
        help: "Address of the S3 API",
        value_name: "ADDRESS",
        form: Form::Text,
        set: |config, text| address(text).map(|address| config.listen = address),
    },
    Key {
        name: "admin_listen",
        flag: "admin-listen",
        help: "Address of health and metrics",
        value_name: "ADDRESS",
        form: Form::Text,
        set: |config, text| address(text).map(|address| config.admin_listen = address),
    },
    Key {
        name: "region",
        flag: "region",
        help: "Region of this node",
        value_name: "NAME",
        form: Form::Text,
        set: |config, text| region(text).map(|region| config.region = region),
    },
    Key {
        name: "domain",
        flag: "domain",
        help: "Domain of virtual-hosted buckets",
        value_name: "NAME",
        form: Form::Text,
        set: |config, text| domain(text).map(|domain| config.domain = domain),
    },
    Key {
        name: "path_style",
        flag: "path-style",
        help: "Serve /bucket/key beside virtual-hosted style",
        value_name: "BOOL",
        form: Form::Switch,
        set: |config, text| switch(text).map(|on| config.path_style = on),
    },
    Key {
        name: "require_location_constraint",
        flag: "require-location-constraint",
        help: "CreateBucket must name the region in its body",
        value_name: "BOOL",
        form: Form::Switch,
        set: |config, text| switch(text).map(|on| config.require_location_constraint = on),
    },
    Key {
        name: "extent_size",
        flag: "extent-size",
        help: "Size of a new extent file",
        value_name: "SIZE",
        form: Form::Quantity,
        set: |config, text| {
            size(text, EXTENT_STEP_BYTES, EXTENT_BYTES_MIN, EXTENT_BYTES_MAX)
                .map(|size| config.extent_size = size)
        },
    },
    Key {
        name: "cores",
        flag: "cores",
        help: "Cores that serve requests [default: all]",
        value_name: "NUMBER",
        form: Form::Number,
        set: |config, text| number(text, 1, CORES_MAX).map(|cores| config.cores = Some(cores as usize)),
    },
    Key {
        name: "buffer_pool",
        flag: "buffer-pool",
        help: "Memory of one core's I/O buffers",
        value_name: "SIZE",
        form: Form::Quantity,
        set: |config, text| {
            size(text, BUFFER_BYTES as u64, BUFFER_POOL_BYTES_MIN, BUFFER_POOL_BYTES_MAX)
                .map(|size| config.buffer_pool = size)
        },
    },
    Key {
        name: "free_space_reserve",
        flag: "free-space-reserve",
        help: "Free space below which writes are refused",
        value_name: "SIZE",
        form: Form::Quantity,
        set: |config, text| {
            size(text, 1, FREE_SPACE_RESERVE_BYTES_MIN, FREE_SPACE_RESERVE_BYTES_MAX)
                .map(|size| config.free_space_reserve = size)
        },
    },
    Key {
        name: "drain_timeout",
        flag: "drain-timeout",
        help: "How long a stop waits for requests in flight",
        value_name: "DURATION",
        form: Form::Text,
        set: |config, text| drain_timeout(text).map(|timeout| config.drain_timeout = timeout),
    },
    Key {
        name: "log",
        flag: "log",
        help: "Log filter: off, error, warn, info, debug, trace, or per module",
        value_name: "FILTER",
        form: Form::Text,
        set: |config, text| log(text).map(|filter| config.log = filter),
    },
    Key {
        name: "trusted_proxies",
        flag: "trusted-proxies",
        help: "Networks whose word on a client's address counts",
        value_name: "NETWORKS",
        form: Form::List,
        set: |config, text| networks(text).map(|networks| config.trusted_proxies = networks),
    },
    Key {
        name: "node_key_file",
        flag: "node-key-file",
        help: "File of the key that seals stored secrets [default: in the data directory]",
        value_name: "PATH",
        form: Form::Text,
        set: |config, text| path(text).map(|path| config.node_key_file = Some(path)),
    },
    Key {
        name: "audit_log",
        flag: "audit-log",
        help: "File that gets a line for each request [default: none]",
        value_name: "PATH",
        form: Form::Text,
        set: |config, text| path(text).map(|path| config.audit_log = Some(path)),
    },
    Key {
        name: "audit_log_size",
        flag: "audit-log-size",
        help: "Size at which the audit log is rotated",
        value_name: "SIZE",
        form: Form::Quantity,
        set: |config, text| {
            size(text, 1, AUDIT_LOG_BYTES_MIN, AUDIT_LOG_BYTES_MAX).map(|size| config.audit_log_size = size)
        },
    },
    Key {
        name: "audit_log_files",
        flag: "audit-log-files",
        help: "Rotated audit logs that are kept",
        value_name: "NUMBER",
        form: Form::Number,
        set: |config, text| number(text, 1, AUDIT_LOG_FILES_MAX).map(|files| config.audit_log_files = files),
    },
    Key {
        name: "allow_test_clock",
        flag: "allow-test-clock",
        help: "Take settings that shorten lifecycle days, for tests alone",
        value_name: "BOOL",
        form: Form::Switch,
        set: |config, text| switch(text).map(|on| config.allow_test_clock = on),
    },
    Key {
        name: "lifecycle.rule_prefix",
        flag: "lifecycle-rule-prefix",
        help: "Take lifecycle rules with a Prefix outside of Filter",
        value_name: "BOOL",
        form: Form::Switch,
        set: |config, text| switch(text).map(|on| config.lifecycle_rule_prefix = on),
    },
    Key {
        name: "lifecycle.test_day_s",
        flag: "lifecycle-test-day-s",
        help: "Seconds of a lifecycle day, for tests alone",
        value_name: "NUMBER",
        form: Form::Number,
        set: |config, text| {
            number(text, 1, Calendar::DAY_S).map(|seconds| config.calendar = Calendar::with_day_s(seconds))
        },
    },
];

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') { Err("a path".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse().map_err(|_| "an IP address and a port, such as 127.0.0.1:9000 or [::]:9000".to_owned())
}

fn region(text: &str) -> Result<String, String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=OWNER_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err(format!("1 to {OWNER_NAME_BYTES_MAX} letters, digits, '-' and '_'"))
}

/// Host names compare without case, so the configuration keeps the lower-case form.
fn domain(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= DOMAIN_BYTES_MAX && text.split('.').all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err("a host name without port, such as s3.example.com".to_owned())
}

fn switch(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "true or false".to_owned())
}

fn size(text: &str, step_bytes: u64, bytes_min: u64, bytes_max: u64) -> Result<ByteSize, String> {
    let is_allowed =
        |bytes: u64| (bytes_min..=bytes_max).contains(&bytes) && bytes.is_multiple_of(step_bytes);
    match ByteSize::parse(text) {
        Some(size) if is_allowed(size.bytes()) => Ok(size),
        _ => {
            let [step, min, max] = [step_bytes, bytes_min, bytes_max].map(ByteSize::from_bytes);
            let what = if step_bytes == 1 { "a size".to_owned() } else { format!("a multiple of {step}") };
            Err(format!("{what} from {min} to {max}"))
        }
    }
}

fn number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(format!("a number from {min} to {max}")),
    }
}

/// Networks, or single addresses, separated by commas; none at all is no proxy.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |text: &str| text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    match texts.map(network).collect::<Result<Vec<_>, _>>() {
        Ok(networks) if networks.len() <= TRUSTED_PROXIES_MAX => Ok(networks),
        _ => Err(format!("at most {TRUSTED_PROXIES_MAX} networks or addresses, such as 10.0.0.0/8 or ::1")),
    }
}

fn drain_timeout(text: &str) -> Result<Duration, String> {
    let max = Duration::from_secs(DRAIN_TIMEOUT_S_MAX);
    parse_duration(text)
        .filter(|timeout| *timeout <= max)
        .ok_or_else(|| format!("a duration from 0s to {}", format_duration(max)))
}

fn log(text: &str) -> Result<String, String> {
    let allowed =
        "off, error, warn, info, debug or trace, or directives such as \"info,ringstone::s3=debug\"";
    if text.trim().is_empty() || EnvFilter::builder().parse(text).is_err() {
        return Err(allowed.to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
