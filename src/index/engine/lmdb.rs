//! The engine on disk: one LMDB environment whose unnamed database holds every key, so that a commit writes the
//! path of one tree and no directory of trees.
//!
//! A stored value is its revision in eight bytes, big-endian, the CRC32C of key, revision and value in four, then
//! the value. LMDB's pages carry no checksum of their own, so every read checks this one: a flipped bit is found, not
//! served. The revision is LMDB's own
//! transaction number plus a base: the number is part of the page that makes a commit durable, so it costs no
//! write of its own and cannot repeat. The base is zero until somebody compacts the file with LMDB's tools, which
//! restart the numbers; [`LmdbEngine::open`] notices and lifts the base above all revisions in the file.
//!
//! Reads open a transaction inside the call and close it before returning. Syncs are LMDB's default: the pages,
//! then the page that names them. The flags that skip a sync lose acknowledged writes in a power cut.
//! Before a commit `file_growth` makes the file long enough for it, so that a full device fails the group and not
//! the node.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};

use super::file_growth::FileGrowth;
use super::{
    Batch, Bounds, Check, CommitFailure, Entry, KeyRange, Outcome, PlacedVisitor, Statistics, Step, Visitor,
    Write,
};
use crate::checksum::crc32c_of;
use crate::config::limits::{INDEX_KEY_BYTES_MAX, INDEX_MAP_BYTES, INDEX_READERS_MAX};
use crate::index::error::IndexError;

const REVISION_BYTES: usize = size_of::<u64>();
const CHECKSUM_BYTES: usize = size_of::<u32>();

/// What stands before a stored value.
pub(super) const PREFIX_BYTES: usize = REVISION_BYTES + CHECKSUM_BYTES;

/// The engine's own record: its first byte keeps it below every key of the tables. Value: format, base.
const OWN_KEY: &[u8] = b"\0engine";

/// Version of how keys and values stand in the file.
const FORMAT: u8 = 1;

/// Entries that a seek first tries to step over one by one: a step costs a twentieth of a descent from the root.
const SEEK_STEPS_MAX: usize = 8;

/// LMDB takes map sizes in whole pages; every page size in use divides this.
const MAP_GRANULE_BYTES: usize = 2 * 1024 * 1024;

/// A value up to this size lies in one page, so that any free page can take it.
const ONE_PAGE_VALUE_BYTES_MAX: usize = 4000;

/// Pages that a commit may take from the free ones alone. Its list of freed pages then lies in one page too.
const FREE_PAGES_TAKEN_MAX: u64 = 400;

/// An open environment. Clones share it; it closes with the last one.
#[derive(Clone, Debug)]
pub struct LmdbEngine {
    environment: Env<WithoutTls>,
    records: Database<'static, Bytes, Bytes>,
    growth: Arc<FileGrowth>,
    /// Added to LMDB's transaction number to give the revision.
    base: u64,
}

impl LmdbEngine {
    /// Opens the index in `directory`, creating both if need be. An error if this process has it open already.
    pub fn open(directory: &Path) -> Result<Self, IndexError> {
        Self::open_with_map(directory, INDEX_MAP_BYTES)
    }

    /// As [`Self::open`], with another bound on the size of the file.
    pub fn open_with_map(directory: &Path, map_bytes: usize) -> Result<Self, IndexError> {
        let unusable = |source| IndexError::Directory { path: directory.to_path_buf(), source };
        fs::create_dir_all(directory).map_err(unusable)?;
        let environment = open_environment(directory, map_bytes).map_err(failed("opening"))?;
        if environment.max_key_size() < INDEX_KEY_BYTES_MAX {
            return Err(IndexError::Format {
                path: directory.to_path_buf(),
                reason: "LMDB was built with a limit on keys that is too low",
            });
        }
        let transaction = environment.write_txn().map_err(failed("opening"))?;
        let created = environment
            .create_databases_and_commit(transaction, |opener, transaction| {
                opener
                    .create_database::<Bytes, Bytes>(transaction, None)
                    .map(CommitOrAbort::<_, Infallible>::Commit)
            })
            .map_err(failed("opening"))?;
        let records = match created {
            CommitOrAbort::Commit(records) => records,
            CommitOrAbort::Abort(never) => match never {},
        };
        let file = environment.try_clone_inner_file().map_err(failed("opening"))?;
        let growth = FileGrowth::new(file, environment.info().map_size as u64).map_err(unusable)?;
        let mut engine = Self { environment, records, growth: Arc::new(growth), base: 0 };
        engine.base = engine.settle_base(directory)?;
        // The files are new perhaps, and so is the directory: a power cut must not take the names away.
        sync_directory(directory).map_err(unusable)?;
        if let Some(parent) = directory.canonicalize().map_err(unusable)?.parent() {
            sync_directory(parent).map_err(unusable)?;
        }
        Ok(engine)
    }

    /// Reads the engine's own record, or writes it: into a new file, and into one whose transaction numbers were
    /// restarted by a compacting copy. Such a copy has transaction 1 as its last, yet holds more than the one
    /// record that our transaction 1 writes.
    fn settle_base(&self, directory: &Path) -> Result<u64, IndexError> {
        let foreign = |reason| IndexError::Format { path: directory.to_path_buf(), reason };
        let entries = self.environment.unnamed_database_stat().entries;
        let numbers_restarted = self.environment.info().last_txn_id == 1 && entries > 1;
        let base = match self.own_record()? {
            Some(own) => {
                let (format, base) = own.split_first().ok_or(foreign("its own record is empty"))?;
                if *format != FORMAT {
                    return Err(foreign("its format is unknown"));
                }
                let base = base.try_into().map_err(|_| foreign("its own record is malformed"))?;
                if !numbers_restarted {
                    return Ok(u64::from_be_bytes(base));
                }
                self.revision_max()?
            }
            None if entries == 0 => 0,
            None => return Err(foreign("it was not made by this program")),
        };
        let mut own = vec![FORMAT];
        own.extend_from_slice(&base.to_be_bytes());
        let mut transaction = self.environment.write_txn().map_err(failed("creating"))?;
        self.secure_space(8, false).map_err(failed("creating"))?;
        self.records.put(&mut transaction, OWN_KEY, &own).map_err(failed("creating"))?;
        transaction.commit().map_err(failed("creating"))?;
        Ok(base)
    }

    fn own_record(&self) -> Result<Option<Vec<u8>>, IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a read"))?;
        Ok(self.records.get(&transaction, OWN_KEY).map_err(failed("a read"))?.map(<[u8]>::to_vec))
    }

    fn revision_max(&self) -> Result<u64, IndexError> {
        let mut revision_max = 0;
        let everything = Bounds { start: Bound::Included(super::FIRST_KEY), end: Bound::Unbounded };
        self.walk(everything, &mut |_, revision, _| {
            revision_max = revision_max.max(revision);
            Ok(Step::Next)
        })?;
        Ok(revision_max)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Entry>, IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a read"))?;
        self.entry(&transaction, key)
    }

    pub(super) fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Entry>>, IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a read"))?;
        keys.iter().map(|key| self.entry(&transaction, key)).collect()
    }

    fn entry(&self, transaction: &RoTxn<'_, WithoutTls>, key: &[u8]) -> Result<Option<Entry>, IndexError> {
        // LMDB calls an empty key an error. Nothing is stored under one.
        if key < super::FIRST_KEY {
            return Ok(None);
        }
        let Some(stored) = self.records.get(transaction, key).map_err(failed("a read"))? else {
            return Ok(None);
        };
        let (revision, value) = split(key, stored)?;
        Ok(Some(Entry { revision, value: value.to_vec() }))
    }

    pub(super) fn walk(&self, bounds: Bounds<'_>, visit: &mut Visitor<'_>) -> Result<(), IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a scan"))?;
        self.walk_in(&transaction, bounds, visit)
    }

    /// Several walks of one state; `None` for a range that can hold nothing.
    pub(super) fn walk_many(
        &self,
        ranges: &[Option<Bounds<'_>>],
        visit: &mut PlacedVisitor<'_>,
    ) -> Result<(), IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a scan"))?;
        for (place, bounds) in ranges.iter().enumerate() {
            let Some(bounds) = bounds else { continue };
            self.walk_in(&transaction, *bounds, &mut |key, revision, value| {
                visit(place, key, revision, value)
            })?;
        }
        Ok(())
    }

    fn walk_in(
        &self,
        transaction: &RoTxn<'_, WithoutTls>,
        bounds: Bounds<'_>,
        visit: &mut Visitor<'_>,
    ) -> Result<(), IndexError> {
        let range_from = |start: Bound<&[u8]>| {
            self.records.range(transaction, &(start, bounds.end)).map_err(failed("a scan"))
        };
        let mut entries = range_from(bounds.start)?;
        let mut target: Option<Vec<u8>> = None;
        let mut steps = 0;
        while let Some(found) = entries.next() {
            let (key, stored) = found.map_err(failed("a scan"))?;
            if let Some(wanted) = target.as_deref().filter(|wanted| key < *wanted) {
                steps += 1;
                if steps == SEEK_STEPS_MAX {
                    entries = range_from(Bound::Included(wanted))?;
                }
                continue;
            }
            let (revision, value) = split(key, stored)?;
            match visit(key, revision, value)? {
                Step::Next => {}
                Step::Stop => break,
                Step::Seek(wanted) => {
                    target = Some(wanted);
                    steps = 0;
                }
            }
        }
        Ok(())
    }

    pub(super) fn last(&self, bounds: Bounds<'_>) -> Result<Option<(Vec<u8>, Entry)>, IndexError> {
        let transaction = self.environment.read_txn().map_err(failed("a scan"))?;
        let mut entries =
            self.records.rev_range(&transaction, &(bounds.start, bounds.end)).map_err(failed("a scan"))?;
        let Some(found) = entries.next() else { return Ok(None) };
        let (key, stored) = found.map_err(failed("a scan"))?;
        let (revision, value) = split(key, stored)?;
        Ok(Some((key.to_vec(), Entry { revision, value: value.to_vec() })))
    }

    pub(super) fn next_revision(&self) -> u64 {
        self.base + self.environment.info().last_txn_id as u64 + 1
    }

    pub(super) fn commit(&self, group: &[Batch]) -> Result<Vec<Outcome>, CommitFailure> {
        let mut transaction =
            self.environment.write_txn().map_err(failed("a commit")).map_err(before_commit)?;
        // A device that cannot write or sync zeros is broken: what it did to the file is not known.
        self.secure_space_for(group).map_err(failed("making the file longer")).map_err(|error| {
            if error.is_no_space() { CommitFailure::NoSpace } else { CommitFailure::Unknown(error) }
        })?;
        let revision = self.base + transaction.id() as u64;
        let mut outcomes = Vec::with_capacity(group.len());
        let mut changed = false;
        for batch in group {
            let lost = self.first_lost(&transaction, &batch.checks).map_err(before_commit)?;
            outcomes.push(if let Some(check) = lost {
                Outcome::Conflict { check }
            } else {
                changed |= self.apply(&mut transaction, &batch.writes, revision).map_err(before_commit)?;
                Outcome::Committed
            });
        }
        if changed {
            transaction.commit().map_err(failed("a commit")).map_err(|error| self.at_commit(error))?;
        }
        Ok(outcomes)
    }

    /// Space for all that the group may write, at the worst. A commit copies each page of the tree that it changes,
    /// once: those on the path of a put, those on the path of a deletion and, to even them out, one beside each. A
    /// put may split every page of its path, a deletion lengthen a separator so that its page splits. LMDB also
    /// writes down which pages it freed.
    fn secure_space_for(&self, group: &[Batch]) -> heed::Result<()> {
        let tree = self.environment.unnamed_database_stat();
        let depth = u64::from(tree.depth);
        let (mut puts, mut deletes, mut value_pages, mut one_page_values) = (0, 0, 0, true);
        for write in group.iter().flat_map(|batch| &batch.writes) {
            match write {
                Write::Put(_, value) => {
                    puts += 1;
                    value_pages += value.len() as u64 / u64::from(tree.page_size) + 1;
                    one_page_values &= value.len() <= ONE_PAGE_VALUE_BYTES_MAX;
                }
                Write::Delete(_) => deletes += 1,
            }
        }
        if puts + deletes == 0 {
            return Ok(());
        }
        let paths = puts + 2 * deletes;
        let copied = paths.min(tree.leaf_pages as u64) + (paths * depth).min(tree.branch_pages as u64);
        let split = puts * (depth + 2) + deletes.min(tree.leaf_pages as u64);
        let pages = copied + split + value_pages;
        self.secure_space(pages + pages / 64 + 64, one_page_values)
    }

    /// Written space for `pages` new pages behind the tree; or, where the filesystem has no more and any free page
    /// will do, so many free pages in the file that the commit cannot run out of them. Deletes thus work on a full
    /// device.
    fn secure_space(&self, pages: u64, any_page_will_do: bool) -> heed::Result<()> {
        let tree = self.environment.unnamed_database_stat();
        let tree_pages = (tree.branch_pages + tree.leaf_pages + tree.overflow_pages) as u64;
        let file_pages = self.environment.info().last_page_number as u64 + 1;
        let Err(error) = self.growth.cover((file_pages + pages) * u64::from(tree.page_size)) else {
            return Ok(());
        };
        let free_pages = file_pages.saturating_sub(tree_pages);
        if any_page_will_do && pages <= FREE_PAGES_TAKEN_MAX && 4 * pages <= free_pages {
            return Ok(());
        }
        Err(error.into())
    }

    fn first_lost(&self, transaction: &RwTxn<'_>, checks: &[Check]) -> Result<Option<usize>, IndexError> {
        for (place, check) in checks.iter().enumerate() {
            if !self.holds(transaction, check)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn holds(&self, transaction: &RwTxn<'_>, check: &Check) -> Result<bool, IndexError> {
        Ok(match check {
            Check::Absent(key) => self.revision(transaction, key)?.is_none(),
            Check::Exists(key) => self.revision(transaction, key)?.is_some(),
            Check::RevisionIs(key, revision) => self.revision(transaction, key)? == Some(*revision),
            Check::RangeEmpty(start, end) => match KeyRange::between(start, end).bounds() {
                None => true,
                Some(bounds) => {
                    let mut entries = self
                        .records
                        .range(transaction, &(bounds.start, bounds.end))
                        .map_err(failed("a check"))?;
                    entries.next().transpose().map_err(failed("a check"))?.is_none()
                }
            },
        })
    }

    fn revision(&self, transaction: &RwTxn<'_>, key: &[u8]) -> Result<Option<u64>, IndexError> {
        if key < super::FIRST_KEY {
            return Ok(None);
        }
        let stored = self.records.get(transaction, key).map_err(failed("a check"))?;
        stored.map(|stored| Ok(split(key, stored)?.0)).transpose()
    }

    /// Whether anything changed.
    fn apply(
        &self,
        transaction: &mut RwTxn<'_>,
        writes: &[Write],
        revision: u64,
    ) -> Result<bool, IndexError> {
        let mut changed = false;
        for write in writes {
            match write {
                Write::Put(key, value) => {
                    self.records
                        .put_reserved(transaction, key, PREFIX_BYTES + value.len(), |space| {
                            let revision = revision.to_be_bytes();
                            space.write_all(&revision)?;
                            space.write_all(&checksum(key, &revision, value).to_be_bytes())?;
                            space.write_all(value)
                        })
                        .map_err(failed("a write"))?;
                    changed = true;
                }
                Write::Delete(key) => {
                    changed |= self.records.delete(transaction, key).map_err(failed("a write"))?;
                }
            }
        }
        Ok(changed)
    }

    /// LMDB writes and syncs the new pages first, and only then the page that makes them the current state. A
    /// failure of that last step poisons the environment. So if there was no space, and the environment still opens
    /// transactions, the group is certainly not applied: what the device may have lost are pages that nothing
    /// refers to and that later commits write anew in full.
    fn at_commit(&self, error: IndexError) -> CommitFailure {
        if error.is_no_space() && self.environment.read_txn().is_ok() {
            CommitFailure::NoSpace
        } else {
            CommitFailure::Unknown(error)
        }
    }

    pub(super) fn statistics(&self) -> Statistics {
        let tree = self.environment.unnamed_database_stat();
        let page_bytes = u64::from(tree.page_size);
        let pages = tree.branch_pages + tree.leaf_pages + tree.overflow_pages;
        Statistics {
            entries: (tree.entries as u64).saturating_sub(1),
            bytes_used: pages as u64 * page_bytes,
            file_bytes: (self.environment.info().last_page_number as u64 + 1) * page_bytes,
            depth: tree.depth,
        }
    }
}

/// The one place of this crate that needs `unsafe`.
#[allow(unsafe_code)]
fn open_environment(directory: &Path, map_bytes: usize) -> heed::Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(map_bytes.next_multiple_of(MAP_GRANULE_BYTES)).max_readers(INDEX_READERS_MAX);
    // SAFETY: the file is mapped, so nobody may change it but LMDB. Every write goes through this environment or
    // one of another process that keeps to LMDB's lock file, which is in use: no flag turns it off. The data
    // directory is the node's own, on a local filesystem, and the node holds a lock on it while it runs.
    unsafe { options.open(directory) }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn split<'a>(key: &[u8], stored: &'a [u8]) -> Result<(u64, &'a [u8]), IndexError> {
    let damaged = |reason| IndexError::Damaged { key: key.to_vec(), reason };
    let Some((revision, rest)) = stored.split_first_chunk::<REVISION_BYTES>() else {
        return Err(damaged("it is too short to hold a revision"));
    };
    let Some((stored_checksum, value)) = rest.split_first_chunk::<CHECKSUM_BYTES>() else {
        return Err(damaged("it is too short to hold a checksum"));
    };
    if u32::from_be_bytes(*stored_checksum) != checksum(key, revision, value) {
        return Err(damaged("its checksum differs"));
    }
    Ok((u64::from_be_bytes(*revision), value))
}

fn checksum(key: &[u8], revision: &[u8], value: &[u8]) -> u32 {
    crc32c_of(&[key, revision, value])
}

fn failed(operation: &'static str) -> impl Fn(heed::Error) -> IndexError {
    move |source| IndexError::Engine { operation, source }
}

/// The transaction is dropped, and so nothing of it applies.
fn before_commit(error: IndexError) -> CommitFailure {
    if error.is_no_space() { CommitFailure::NoSpace } else { CommitFailure::Refused(error) }
}

#[cfg(test)]
#[path = "lmdb_tests.rs"]
mod tests;
