use std::path::Path;

use super::*;
use crate::disk::Disk;
use crate::scratch_directory::scratch_directory;

fn extent_bytes(disk: &Disk, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    disk.read_blocking(7, 0, &mut bytes).unwrap();
    bytes
}

/// The same calls on the real disk and, where there is one, on tmpfs without O_DIRECT.
fn on_every_file_system(test: impl Fn(&Disk)) {
    let scratch = scratch_directory();
    test(&Disk::open(scratch.path()).unwrap());
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        let scratch = tempfile::tempdir_in(shared_memory).unwrap();
        test(&Disk::open(scratch.path()).unwrap());
        // Buffered for certain, whatever this kernel's tmpfs takes.
        let disk = FileDisk::open(scratch.path()).unwrap();
        fs::remove_file(disk.path(7)).unwrap();
        test(&Disk::Files(Arc::new(FileDisk { direct: false, ..disk })));
    }
}

#[test]
fn reads_and_writes_of_any_alignment_keep_their_surroundings() {
    on_every_file_system(|disk| {
        disk.create(7).unwrap();
        disk.preallocate(7, 0, 3 * 4096).unwrap();
        let mut model = vec![0; 3 * 4096];
        for (offset, length, byte) in
            [(0, 12288, 1), (4096, 4096, 2), (4000, 200, 3), (5, 1, 4), (8191, 2, 5)]
        {
            disk.write_blocking(7, offset as u64, &vec![byte; length]).unwrap();
            model[offset..offset + length].fill(byte);
            assert_eq!(extent_bytes(disk, model.len()), model);
        }
        disk.sync(7).unwrap();
        let mut middle = vec![0; 4500];
        disk.read_blocking(7, 3999, &mut middle).unwrap();
        assert_eq!(middle, model[3999..][..4500]);
    });
}

#[test]
fn reads_behind_the_end_fail() {
    on_every_file_system(|disk| {
        disk.create(7).unwrap();
        disk.write_blocking(7, 0, &[1; 4096]).unwrap();
        for (offset, length) in [(0, 4097), (4095, 2), (4096, 1), (0, 8192), (8192, 4096)] {
            let error = disk.read_blocking(7, offset, &mut vec![0; length]).unwrap_err();
            assert!(error.is_unexpected_eof(), "{error}");
        }
        disk.read_blocking(7, 4096, &mut []).unwrap();
    });
}

#[test]
fn preallocated_space_reads_as_zeros() {
    on_every_file_system(|disk| {
        disk.create(7).unwrap();
        disk.preallocate(7, 4096, 8192).unwrap();
        assert_eq!(extent_bytes(disk, 12288), vec![0; 12288]);
        assert!(disk.free_bytes().unwrap() > 0);
    });
}

#[test]
fn extents_are_created_listed_and_removed() {
    let scratch = scratch_directory();
    let directory = scratch.path().join("deep/down");
    let disk = Disk::open(&directory).unwrap();
    for extent in [4_294_967_295, 3, 20] {
        disk.create(extent).unwrap();
    }
    for name in ["12.extent", "+000000012.extent", "0000000001.extent.old", "LOCK", "99999999999.extent"] {
        fs::write(directory.join(name), "").unwrap();
    }
    assert_eq!(disk.extents().unwrap(), [3, 20, 4_294_967_295]);
    assert_eq!(disk.create(3).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    disk.remove(20).unwrap();
    assert_eq!(Disk::open(&directory).unwrap().extents().unwrap(), [3, 4_294_967_295]);
    let error = disk.sync(20).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("open ") && error.to_string().contains("0000000020.extent"));
}

#[test]
fn the_disk_is_shared_by_threads() {
    let scratch = scratch_directory();
    let disk = Disk::open(scratch.path()).unwrap();
    std::thread::scope(|scope| {
        for extent in 0..4 {
            let disk = disk.clone();
            scope.spawn(move || {
                disk.create(extent).unwrap();
                disk.write_blocking(extent, 0, &[extent as u8; 4096]).unwrap();
                disk.sync(extent).unwrap();
            });
        }
    });
    for extent in 0..4 {
        let mut byte = [9];
        disk.read_blocking(extent, 77, &mut byte).unwrap();
        assert_eq!(byte[0], extent as u8);
    }
}
