//! Directories for benches, on the disk that holds the build output: `/tmp` may be a tmpfs, which knows neither
//! O_DIRECT nor the price of a sync.

use std::path::Path;

use tempfile::TempDir;

/// An empty directory that goes away with the value.
pub(crate) fn scratch_directory() -> TempDir {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    std::fs::create_dir_all(&target).expect("a writable build directory");
    tempfile::Builder::new().prefix("bench-").tempdir_in(target).expect("a scratch directory")
}
