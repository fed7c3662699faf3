//! When bytes of a deleted or overwritten body become free: after the commit is durable and after the last reader.

use std::sync::Arc;

use crate::commit::SpaceRelease;
use crate::index::record::Run;
use crate::store::extent::space::Space;
use crate::store::pins::CorePins;

/// A run that no record refers to any more. Its space returns when the last holder drops it.
pub struct FreedRun {
    space: Arc<Space>,
    run: Run,
}

impl FreedRun {
    pub fn run(&self) -> &Run {
        &self.run
    }
}

impl Drop for FreedRun {
    fn drop(&mut self) {
        self.space.free(&self.run);
    }
}

/// Takes freed runs from the committer and leaves those still being read with their readers.
pub struct Release {
    pub space: Arc<Space>,
    pub cores: Vec<Arc<CorePins>>,
}

impl SpaceRelease for Release {
    fn release(&self, runs: Vec<Run>) {
        for run in runs {
            let freed = Arc::new(FreedRun { space: self.space.clone(), run });
            for core in &self.cores {
                core.hand_over(&freed);
            }
        }
    }
}
