//! Ringstone: an S3-compatible object-storage node for bare-metal NVMe servers.
//!
//! The folders are the architecture. A module may import only what stands below it in this list;
//! `tests/tidy.rs` enforces the direction.
//!
//! | layer | what it owns |
//! |---|---|
//! | [`cli`] | subcommands of the binary |
//! | [`server`] | composition: cores, listeners, the admin port and socket, shutdown |
//! | [`s3`] | the S3 API: pipeline, table of operations, XML, errors |
//! | [`auth`] | Signature Version 4: pure decisions, no I/O |
//! | [`http`], [`store`] | the wire; objects as bytes. Neither knows S3 words |
//! | [`commit`] | the only writer of the index, the only place that says "durable" |
//! | [`index`] | ordered tables of records behind the engine interface |
//! | [`audit`] | the log of answered requests; knows no S3 words |
//! | [`seal`] | encryption of bodies under customers' keys, of stored secrets under the node's; a leaf |
//! | [`policy`] | access policies: documents and decisions; a leaf |
//! | [`checksum`], [`metrics`], [`config`] | leaves |

pub mod audit;
pub mod auth;
pub mod checksum;
pub mod cli;
pub mod commit;
pub mod config;
pub mod http;
pub mod index;
pub mod metrics;
pub mod policy;
pub mod s3;
pub mod seal;
pub mod server;
pub mod store;
