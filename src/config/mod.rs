//! Configuration and limits.
//!
//! [`Config`] is what the node runs with. It is built once, at start-up, by [`load`]: defaults, then a TOML
//! file, then `RINGSTONE_*` variables, then flags. The scalar keys stand in one table ([`KEYS`]), from which
//! the names of file keys, variables and flags all come, so that the three can never differ. Nothing reads
//! the environment or the file after start-up. A leaf: imports nothing of this crate.

mod access_key;
mod calendar;
mod error;
mod keys;
pub mod limits;
mod load;
mod org_policy;
mod secret;
mod units;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use access_key::{AccessKeyConfig, check_access_key, check_org_name, check_owner_name, check_secret_key};
pub use calendar::Calendar;
pub use error::ConfigError;
pub use keys::{KEYS, Key};
pub use load::{FILE_VARIABLE, load};
pub use org_policy::OrgPolicyConfig;
pub use secret::Secret;
pub use units::{ByteSize, format_duration, parse_duration};

/// The annotated default configuration file, as `ringstone config` prints it.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// Everything that an operator can set. Every field's default and range are annotated in `default.toml`.
#[derive(Clone, Debug, PartialEq)]
// Each is a switch of its own.
#[allow(clippy::struct_excessive_bools)]
pub struct Config {
    /// Directory of extents, index and credentials.
    pub data_dir: PathBuf,
    /// Address of the S3 API.
    pub listen: SocketAddr,
    /// Address of health and metrics. Never the S3 address.
    pub admin_listen: SocketAddr,
    /// Region of the node: what GetBucketLocation answers, what a location constraint must name.
    pub region: String,
    /// Domain under which `bucket.domain` is virtual-hosted style. Lower case.
    pub domain: String,
    /// Whether `/bucket/key` is served beside virtual-hosted style.
    pub path_style: bool,
    /// Whether CreateBucket must name the region in its body.
    pub require_location_constraint: bool,
    /// Size of a new extent.
    pub extent_size: ByteSize,
    /// Cores that serve requests, one pinned runtime each. `None`: all that the process may use.
    pub cores: Option<usize>,
    /// Memory of one core's I/O buffers.
    pub buffer_pool: ByteSize,
    /// Free space of the filesystem below which writes are refused.
    pub free_space_reserve: ByteSize,
    /// How long a stop waits for requests in flight.
    pub drain_timeout: Duration,
    /// Filter of the log on standard error.
    pub log: String,
    /// Networks whose word on a client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// File of the node's key. `None`: in `data_dir`.
    pub node_key_file: Option<PathBuf>,
    /// File of the audit log. `None`: no audit.
    pub audit_log: Option<PathBuf>,
    /// Size at which the audit log is rotated.
    pub audit_log_size: ByteSize,
    /// Rotated audit logs that are kept.
    pub audit_log_files: u64,
    /// Whether settings that shorten lifecycle days are taken.
    pub allow_test_clock: bool,
    /// Whether a lifecycle rule may have a prefix outside of its filter.
    pub lifecycle_rule_prefix: bool,
    /// How long a lifecycle day lasts. Other than a day only with `allow_test_clock`.
    pub calendar: Calendar,
    /// Access keys. Empty: the root key of `data_dir/credentials`.
    pub access_keys: Vec<AccessKeyConfig>,
    /// Policies of organisations.
    pub org_policies: Vec<OrgPolicyConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./data"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9000)),
            admin_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9001)),
            region: "local-1".to_owned(),
            domain: "localhost".to_owned(),
            path_style: true,
            require_location_constraint: true,
            extent_size: ByteSize::from_mib(256),
            cores: None,
            buffer_pool: ByteSize::from_mib(32),
            free_space_reserve: ByteSize::from_mib(64),
            drain_timeout: Duration::from_secs(30),
            log: "info".to_owned(),
            trusted_proxies: Vec::new(),
            node_key_file: None,
            audit_log: None,
            audit_log_size: ByteSize::from_mib(64),
            audit_log_files: 8,
            allow_test_clock: false,
            lifecycle_rule_prefix: true,
            calendar: Calendar::default(),
            access_keys: Vec::new(),
            org_policies: Vec::new(),
        }
    }
}
