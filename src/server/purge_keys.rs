//! The way out where the node key is lost: deletes all stored access keys of a node that is not running.

use std::io;

use ringstone_io::disk::DirectoryLock;
use ringstone_io::runtime::Clock;

use super::{FileError, ServerError};
use crate::config::Config;
use crate::server::access_keys::KeyError;
use crate::store::error::{Refusal, StoreError};
use crate::store::extent::space::SpaceOptions;
use crate::store::keys::{Accounts, KeyRefusal};
use crate::store::start::SharedStore;

/// Deletes them and says how many there were. The directory must be in nobody's use.
pub(crate) fn purge_keys(config: &Config) -> Result<usize, ServerError> {
    let index = config.data_dir.join("index");
    if !index.is_dir() {
        // Opening it would make one.
        return Err(ServerError::File(FileError::new("open", &index, io::ErrorKind::NotFound.into())));
    }
    let _lock = DirectoryLock::acquire(&config.data_dir).map_err(ServerError::DataDirectory)?;
    let options = SpaceOptions {
        extent_bytes: config.extent_size.bytes(),
        reserve_bytes: config.free_space_reserve.bytes(),
    };
    let store = SharedStore::open_directory(&config.data_dir, options, 1, Clock::system(), config.calendar)?;
    let purged = purge(&store.accounts());
    store.close();
    Ok(purged.map_err(KeyError::Store)?)
}

fn purge(accounts: &Accounts) -> Result<usize, StoreError> {
    let keys = accounts.keys()?;
    for (access_key, _) in &keys {
        match accounts.delete_key(access_key) {
            Ok(_) | Err(Refusal::Refused(KeyRefusal::Exists | KeyRefusal::Missing)) => {}
            Err(Refusal::Failed(error)) => return Err(error),
        }
    }
    Ok(keys.len())
}
