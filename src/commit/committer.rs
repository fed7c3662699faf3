//! The committer: one thread that makes groups of transactions durable. See the contract in the module above.

use std::collections::BTreeSet;
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use ringstone_io::disk::Disk;
use ringstone_io::runtime::Clock;

use super::CommitError;
use super::overlay::Overlay;
use super::poison::Poison;
use super::stamps::Stamps;
use super::transaction::{Abort, Planned, Transaction};
use crate::config::Calendar;
use crate::config::limits::{COMMIT_GROUP_MAX, COMMIT_QUEUE_MAX};
use crate::index::IndexError;
use crate::index::engine::{Batch, CommitFailure, Engine, Outcome};
use crate::index::record::Run;

/// How often a transaction is run again after a conflict. Conflicts come only from other writers of a shared
/// engine; more than a few in a row mean that something is wrong.
const CONFLICT_RETRIES_MAX: u32 = 16;

/// Proof that a transaction and the data it refers to are durable. Only the committer makes it.
#[derive(Debug)]
pub struct Committed<T> {
    value: T,
}

impl<T> Committed<T> {
    pub fn value(&self) -> &T {
        &self.value
    }
}

/// Space that belongs to a transaction until it is durable.
pub trait SpaceHold: Send {
    /// The transaction is durable: the space now belongs to its record.
    fn keep(self: Box<Self>);
}

/// Takes space that a durable transaction freed.
pub trait SpaceRelease: Send {
    fn release(&self, runs: Vec<Run>);
}

/// The bytes that a transaction refers to.
#[derive(Default)]
pub struct Data {
    /// Extents that were written to and must be synced first.
    pub extents: Vec<u32>,
    /// Space to keep once the transaction is durable; given back otherwise.
    pub hold: Option<Box<dyn SpaceHold>>,
}

/// What the committer works with.
pub struct CommitOptions {
    pub engine: Engine,
    pub disk: Disk,
    pub clock: Clock,
    pub calendar: Calendar,
    pub release: Box<dyn SpaceRelease>,
    pub poison: Poison,
}

/// The way to the committer: cheap to clone, one for each core.
#[derive(Clone)]
pub struct Commit {
    queue: Sender<Member>,
    poison: Poison,
}

/// Why the committer could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The running committer; drains its queue and joins when stopped.
pub struct Committer {
    thread: JoinHandle<()>,
}

struct Member {
    data: Data,
    work: Box<dyn Work>,
    conflicts: u32,
}

impl Member {
    /// Gives its space back, so that whoever hears of the failure can have it, and answers.
    fn fail(self, ending: Ending) {
        drop(self.data);
        self.work.answer(ending);
    }
}

/// A transaction without its types.
trait Work: Send {
    fn plan(&mut self, transaction: &mut Transaction<'_>) -> Step;
    fn answer(self: Box<Self>, ending: Ending);
}

enum Step {
    Complete,
    Refused,
    Failed(String),
}

/// How a transaction ended, for its answer.
#[derive(Clone)]
enum Ending {
    Durable,
    NoSpace,
    Index(String),
    Poisoned(String),
}

struct TypedWork<F, T, E> {
    run: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<Committed<T>, CommitError<E>>>,
}

impl<F, T, E> Work for TypedWork<F, T, E>
where
    F: FnMut(&mut Transaction<'_>) -> Result<T, Abort<E>> + Send,
    T: Send,
    E: Send,
{
    fn plan(&mut self, transaction: &mut Transaction<'_>) -> Step {
        match (self.run)(transaction) {
            Ok(value) => {
                self.result = Some(Ok(value));
                Step::Complete
            }
            Err(Abort::Refused(refusal)) => {
                self.result = Some(Err(refusal));
                Step::Refused
            }
            Err(Abort::Index(error)) => Step::Failed(error),
        }
    }

    fn answer(self: Box<Self>, ending: Ending) {
        let result = match (ending, self.result) {
            (Ending::Durable, Some(Ok(value))) => Ok(Committed { value }),
            (Ending::Durable, Some(Err(refusal))) => Err(CommitError::Refused(refusal)),
            (Ending::Durable, None) => Err(CommitError::Index("the transaction was not run".into())),
            (Ending::NoSpace, _) => Err(CommitError::NoSpace),
            (Ending::Index(error), _) => Err(CommitError::Index(error)),
            (Ending::Poisoned(reason), _) => Err(CommitError::Poisoned(reason)),
        };
        // Whoever asked may have gone; what was committed stays committed.
        let _ = self.answer.send(result);
    }
}

impl Commit {
    /// Makes the data durable, then the transaction, and returns its result.
    pub async fn run<T, E, F>(&self, data: Data, run: F) -> Result<Committed<T>, CommitError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&mut Transaction<'_>) -> Result<T, Abort<E>> + Send + 'static,
    {
        let (answer, result) = oneshot::async_channel();
        self.enqueue(data, TypedWork { run, result: None, answer })?;
        result.await.unwrap_or_else(|_gone| Err(stopping()))
    }

    /// The same for a thread that has nothing else to do meanwhile.
    pub fn run_blocking<T, E, F>(&self, data: Data, run: F) -> Result<Committed<T>, CommitError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnMut(&mut Transaction<'_>) -> Result<T, Abort<E>> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        self.enqueue(data, TypedWork { run, result: None, answer })?;
        result.recv().unwrap_or_else(|_gone| Err(stopping()))
    }

    fn enqueue<E>(&self, data: Data, work: impl Work + 'static) -> Result<(), CommitError<E>> {
        if let Some(reason) = self.poison.reason() {
            return Err(CommitError::Poisoned(reason.into()));
        }
        match self.queue.try_send(Member { data, work: Box::new(work), conflicts: 0 }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(CommitError::Overloaded),
            Err(TrySendError::Disconnected(_)) => Err(stopping()),
        }
    }
}

fn stopping<E>() -> CommitError<E> {
    CommitError::Poisoned("the node is stopping".into())
}

impl Committer {
    /// Starts the thread. It ends when the last [`Commit`] has gone and the queue is empty.
    pub fn start(options: CommitOptions) -> Result<(Self, Commit), StartError> {
        let stamps = Stamps::load(&options.engine)?;
        let (queue, members) = bounded(COMMIT_QUEUE_MAX);
        let commit = Commit { queue, poison: options.poison.clone() };
        let thread = std::thread::Builder::new()
            .name("committer".into())
            .spawn(move || Group::run(&members, &options, stamps))?;
        Ok((Self { thread }, commit))
    }

    /// Waits until everything queued has been committed. All [`Commit`]s must have been dropped.
    pub fn join(self) {
        // A panic there has been reported already.
        let _ = self.thread.join();
    }
}

/// A committer that has panicked has left nobody who could commit: the node must not go on as if it had.
struct PanicWatch<'a>(&'a Poison);

impl Drop for PanicWatch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set("the committer panicked".into());
        }
    }
}

/// What is left of a group after an attempt to write it.
#[derive(Default)]
struct Attempt {
    again: Vec<Member>,
    /// The index had no room for so many at once.
    full: bool,
    /// The planned members have failed and nothing of them is written.
    failed: bool,
}

/// One group on its way to the disk.
struct Group<'a> {
    options: &'a CommitOptions,
    stamps: &'a mut Stamps,
}

impl Group<'_> {
    fn run(members: &Receiver<Member>, options: &CommitOptions, mut stamps: Stamps) {
        let _watch = PanicWatch(&options.poison);
        // One client alone never waits for company; under load the group is whatever queued during the last sync.
        while let Ok(first) = members.recv() {
            let mut waiting: Vec<Member> = Vec::with_capacity(COMMIT_GROUP_MAX);
            waiting.push(first);
            waiting.extend(members.try_iter().take(COMMIT_GROUP_MAX - 1));
            Group { options, stamps: &mut stamps }.commit(waiting);
        }
    }

    fn commit(&mut self, mut members: Vec<Member>) {
        // After a failed sync there is no other one.
        if self.options.poison.reason().is_none()
            && let Err(reason) = self.sync_data(&members)
        {
            self.options.poison.set(reason);
        }
        let mut together_max = members.len();
        while !members.is_empty() {
            if let Some(reason) = self.options.poison.reason() {
                let ending = Ending::Poisoned(reason.into());
                for member in members {
                    member.fail(ending.clone());
                }
                return;
            }
            let later = members.split_off(together_max.min(members.len()));
            let Attempt { mut again, full, .. } = self.commit_index(members);
            if full {
                // A large group needs more room than each of its members: the deletions among them must not fail
                // for the company they were in.
                together_max = (together_max / 2).max(1);
            }
            again.extend(later);
            members = again;
        }
    }

    /// Step 1: one sync for each extent.
    fn sync_data(&self, members: &[Member]) -> Result<(), String> {
        let extents: BTreeSet<u32> =
            members.iter().flat_map(|member| member.data.extents.iter().copied()).collect();
        extents
            .into_iter()
            .try_for_each(|extent| self.options.disk.sync(extent).map_err(|error| error.to_string()))
    }

    /// Steps 2 to 5.
    fn commit_index(&mut self, members: Vec<Member>) -> Attempt {
        let mut overlay = Overlay::new(self.options.engine.next_revision());
        let mut planned: Vec<(Member, Vec<Run>)> = Vec::with_capacity(members.len());
        let mut refused = Vec::new();
        for mut member in members {
            match self.plan(&mut member, &overlay) {
                (Step::Complete, plan) => {
                    overlay.absorb(plan.batch);
                    planned.push((member, plan.released));
                }
                (Step::Refused, _) => refused.push(member),
                (Step::Failed(error), _) => {
                    tracing::error!(%error, "a transaction could not be planned");
                    member.fail(Ending::Index(error));
                }
            }
        }
        let Attempt { mut again, full, failed } = self.write(planned, overlay.into_batches());
        if failed || !again.is_empty() {
            // They may have been refused for what was not written after all.
            again.append(&mut refused);
        }
        let ending =
            self.options.poison.reason().map_or(Ending::Durable, |reason| Ending::Poisoned(reason.into()));
        for member in refused {
            member.fail(ending.clone());
        }
        Attempt { again, full, failed }
    }

    fn plan(&mut self, member: &mut Member, overlay: &Overlay) -> (Step, Planned) {
        let now_ms = self.options.clock.unix_ms();
        let CommitOptions { engine, calendar, .. } = self.options;
        let stamp = self.stamps.next(now_ms);
        let mut transaction = Transaction::new(engine, overlay, stamp, now_ms, *calendar);
        let step = member.work.plan(&mut transaction);
        let planned = transaction.finish();
        match (step, self.options.engine.limits().admit(&planned.batch)) {
            // Fails alone: the engine would refuse the whole group for it.
            (Step::Complete, Err(error)) => (Step::Failed(error.to_string()), planned),
            (step, _) => (step, planned),
        }
    }

    /// Steps 3 to 5. To be tried again: members that another writer of a shared engine overtook, and all members
    /// of a group that found no space, unless it was one alone. Each member comes with the space that it frees.
    fn write(&mut self, members: Vec<(Member, Vec<Run>)>, mut batches: Vec<Batch>) -> Attempt {
        let ceiling = self.stamps.ceiling_due();
        batches.extend(ceiling.map(Stamps::batch));
        let nothing_to_write = batches.iter().all(|batch| batch.writes.is_empty());
        let outcomes = if nothing_to_write {
            vec![Outcome::Committed; batches.len()]
        } else {
            match self.options.engine.commit(&batches) {
                Ok(outcomes) => outcomes,
                Err(CommitFailure::NoSpace) if members.len() > 1 => {
                    return Attempt {
                        again: members.into_iter().map(|(member, _)| member).collect(),
                        full: true,
                        failed: false,
                    };
                }
                Err(failure) => {
                    let ending = self.failed(&failure);
                    let failed = !members.is_empty();
                    for (mut member, _) in members {
                        // The records may have reached the disk after all: their blocks must not be written again.
                        if let (Ending::Poisoned(_), Some(hold)) = (&ending, member.data.hold.take()) {
                            hold.keep();
                        }
                        member.fail(ending.clone());
                    }
                    return Attempt { failed, ..Attempt::default() };
                }
            }
        };
        if let Some(ceiling) = ceiling {
            self.stamps.raised(ceiling);
        }
        let mut overtaken = Vec::new();
        for ((member, released), outcome) in members.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Committed => {
                    if let Some(hold) = member.data.hold {
                        hold.keep();
                    }
                    if !released.is_empty() {
                        self.options.release.release(released);
                    }
                    member.work.answer(Ending::Durable);
                }
                Outcome::Conflict { check } if member.conflicts >= CONFLICT_RETRIES_MAX => {
                    member.fail(Ending::Index(format!("check {check} fails again and again")));
                }
                Outcome::Conflict { .. } => {
                    overtaken.push(Member { conflicts: member.conflicts + 1, ..member });
                }
            }
        }
        Attempt { again: overtaken, ..Attempt::default() }
    }

    fn failed(&self, failure: &CommitFailure) -> Ending {
        match failure {
            CommitFailure::NoSpace => Ending::NoSpace,
            CommitFailure::Refused(error) => Ending::Index(error.to_string()),
            CommitFailure::Unknown(error) => {
                self.options.poison.set(format!("the index: {error}"));
                Ending::Poisoned(error.to_string())
            }
        }
    }
}

#[cfg(test)]
#[path = "committer_tests.rs"]
mod tests;
