//! For tests: the accounts of a store without cores.

use ringstone_io::disk::Disk;
use ringstone_io::runtime::Clock;

use crate::config::Calendar;
use crate::index::engine::{Engine, MemoryEngine};
use crate::store::extent::space::SpaceOptions;
use crate::store::keys::Accounts;
use crate::store::start::SharedStore;

/// What survives a restart.
pub(super) fn memory() -> Engine {
    Engine::Memory(MemoryEngine::new())
}

/// Starts a store over the index and stops it in good order. What `life` makes of the accounts must end with it.
pub(super) fn with_accounts<T>(engine: &Engine, life: impl FnOnce(Accounts) -> T) -> T {
    let options = SpaceOptions { extent_bytes: 1 << 24, reserve_bytes: 0 };
    let (engine, disk) = (engine.clone(), Disk::simulated(1));
    let shared = SharedStore::open(engine, disk, options, 1, Clock::system(), Calendar::default())
        .expect("the store opens");
    let result = life(shared.accounts());
    shared.close();
    result
}
