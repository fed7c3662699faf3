//! Directories for tests, on the disk that holds the build output: `/tmp` may be a tmpfs, which would
//! not test O_DIRECT.

use std::path::Path;

pub(crate) fn scratch_directory() -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    std::fs::create_dir_all(&target).expect("a writable build directory");
    tempfile::tempdir_in(target).expect("a scratch directory")
}
