//! The file of the node's key: 32 bytes that the node makes for itself when it first has a secret to store.
//!
//! The key is not made anew where secrets are stored already: they would be lost in silence.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::private_file::{self, FileError};
use crate::config::Config;
use crate::seal::{KEY_BYTES, NodeKey};

const FILE_NAME: &str = "node.key";

/// Whoever is neither owner nor root has none of these.
const MODE_FORBIDDEN: u32 = 0o077;

/// Why there is no node key.
#[derive(Debug, thiserror::Error)]
pub enum NodeKeyError {
    #[error("node key: {0}")]
    File(#[from] FileError),
    #[error("the node key file {} can be used by others (mode {mode:03o}): set its mode to 600", path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the node key file {} does not hold a key: wanted are {KEY_BYTES} bytes, or as many in hexadecimal", path.display())]
    Content { path: PathBuf },
    #[error("the node key file {} is missing, and {keys} stored access keys need it: bring it back, or give them up with `ringstone key purge`", path.display())]
    Missing { path: PathBuf, keys: usize },
    #[error("the node key file {} does not open the stored access key {access_key}: it is the key of another node, or one of the two was changed", path.display())]
    Wrong { path: PathBuf, access_key: String },
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// Where the key is, or will be.
#[derive(Clone, Debug)]
pub(super) struct NodeKeyFile {
    path: PathBuf,
}

impl NodeKeyFile {
    pub(super) fn of(config: &Config) -> Self {
        let path = config.node_key_file.clone().unwrap_or_else(|| config.data_dir.join(FILE_NAME));
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The key, if there is a file. A file that is no key, or open to others, is an error.
    pub(super) fn load(&self) -> Result<Option<NodeKey>, NodeKeyError> {
        let path = self.path.clone();
        let failed = |error| FileError::new("read", &self.path, error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error).into()),
        };
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & MODE_FORBIDDEN != 0 {
            return Err(NodeKeyError::Open { path, mode });
        }
        // Room for more than a key, so that a longer file is found out and the vector never grows.
        let mut content = Zeroizing::new(Vec::with_capacity(4 * KEY_BYTES));
        file.take(3 * KEY_BYTES as u64).read_to_end(&mut content).map_err(failed)?;
        let key = parse(&content).ok_or(NodeKeyError::Content { path })?;
        Ok(Some(NodeKey::new(&key)))
    }

    /// The key, made and durable if there was none.
    pub(super) fn load_or_create(&self) -> Result<NodeKey, NodeKeyError> {
        if let Some(key) = self.load()? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(key.as_mut_slice())?;
        let mut text = Zeroizing::new(hex::encode(key.as_slice()));
        text.push('\n');
        if private_file::create(&self.path, text.as_bytes())? {
            tracing::info!(file = %self.path.display(), "made the node key");
        }
        // Read back: another node that shares the file may have been faster.
        self.load()?.ok_or_else(|| FileError::new("read", &self.path, io::ErrorKind::NotFound.into()).into())
    }
}

/// The bytes themselves, or in hexadecimal, with or without a line break.
fn parse(content: &[u8]) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if content.len() == KEY_BYTES {
        key.copy_from_slice(content);
        return Some(key);
    }
    let text = content.strip_suffix(b"\n").unwrap_or(content);
    hex::decode_to_slice(text, key.as_mut_slice()).ok().map(|()| key)
}

#[cfg(test)]
#[path = "node_key_file_tests.rs"]
mod tests;
