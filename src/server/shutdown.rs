//! When to stop: a signal, a failed sync, or a core that ended.

use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::commit::poison::Poison;

/// How often poison and cores are looked at: bounds how long a node lives after a failed sync.
const CHECK: Duration = Duration::from_millis(100);

/// Why the node stops.
#[derive(Debug)]
pub(super) enum End {
    Asked,
    Poisoned(String),
    CoreEnded,
}

/// Listens for signals from its creation on.
pub(super) struct Shutdown {
    asked: Receiver<i32>,
}

impl Shutdown {
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (ask, asked) = bounded(1);
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in &mut signals {
                // A second signal changes nothing: the drain has its own end.
                let _ = ask.try_send(signal);
            }
        })?;
        Ok(Self { asked })
    }

    pub(super) fn wait(&self, poison: &Poison, has_core_ended: impl Fn() -> bool) -> End {
        loop {
            match self.asked.recv_timeout(CHECK) {
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return End::Asked,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(reason) = poison.reason() {
                return End::Poisoned(reason.into());
            }
            if has_core_ended() {
                return End::CoreEnded;
            }
        }
    }
}
