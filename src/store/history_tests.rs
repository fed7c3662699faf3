//! Random histories against a model, with restarts and power cuts. The seed stands in every message; set
//! `RINGSTONE_TEST_SEED` to run one alone.

use std::collections::BTreeMap;

use ringstone_io::runtime::{self, Task};

use crate::config::limits::INLINE_BODY_BYTES_MAX;
use crate::index::listing::{Item, ListQuery, Marker};
use crate::index::record::bucket::BucketRecord;
use crate::store::Store;
use crate::store::start::Monitor;
use crate::store::test_node::{
    Content, Dice, MIB, Node, copy, create_bucket, delete, get, put, rename, seeds, write_body,
};

const KEYS: u64 = 12;

/// What each key may hold: one state once it is known, several after a write without an answer.
type Model = BTreeMap<String, Vec<Option<Content>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Orderly,
    /// Everything but what was synced is at the mercy of the dice.
    Cut,
    /// The power goes in the middle of some operation of the disk.
    CutMidway,
}

struct History {
    seed: u64,
    dice: Dice,
    model: Model,
    contents: u64,
}

fn size(dice: &mut Dice) -> u64 {
    match dice.below(8) {
        0 => dice.below(100),
        1 => INLINE_BODY_BYTES_MAX - 1 + dice.below(3),
        2 => 65_504 - 1 + dice.below(3),
        3 => 4 * 65_504 - 1 + dice.below(3),
        4 => MIB + dice.below(3 * MIB),
        _ => dice.below(200_000),
    }
}

impl History {
    fn new(seed: u64) -> Self {
        let model = (0..KEYS).map(|key| (format!("key/{key}"), vec![None])).collect();
        Self { seed, dice: Dice(seed), model, contents: 0 }
    }

    fn content(&mut self) -> Content {
        self.contents += 1;
        Content::new(self.seed << 20 | self.contents, size(&mut self.dice))
    }

    /// A few writes at a time, of different keys, so that they share groups.
    async fn writes(&mut self, store: &Store, bucket: &BucketRecord) {
        let first = self.dice.below(KEYS);
        let count = 1 + self.dice.below(4);
        let mut tasks: Vec<(String, Option<Content>, Task<bool>)> = Vec::new();
        for key in (first..first + count).map(|key| format!("key/{}", key % KEYS)) {
            let new = (self.dice.below(4) != 0).then(|| self.content());
            let (store, bucket, name) = (store.clone(), bucket.clone(), key.clone());
            let task = runtime::spawn(async move {
                match new {
                    Some(content) => put(&store, &bucket, &name, content).await.is_ok(),
                    None => delete(&store, &bucket, &name).await.is_ok(),
                }
            });
            tasks.push((key, new, task));
        }
        for (key, new, task) in tasks {
            let states = self.model.get_mut(&key).expect("a key of the model");
            if task.await {
                *states = vec![new];
            } else {
                states.push(new);
            }
        }
    }

    /// A copy or a move of one key to another.
    async fn transfer(&mut self, store: &Store, bucket: &BucketRecord) {
        let from = self.dice.below(KEYS);
        let to = (from + 1 + self.dice.below(KEYS - 1)) % KEYS;
        let [from, to] = [from, to].map(|key| format!("key/{key}"));
        let moves = self.dice.below(2) == 0;
        let done = if moves {
            rename(store, bucket, &from, &to).await
        } else {
            copy(store, bucket, &from, &to).await
        };
        let is_there = |state: &Option<Content>| state.is_some();
        let taken: Vec<Option<Content>> = self.model[&from].iter().copied().filter(is_there).collect();
        match done {
            Ok(true) => {
                assert!(!taken.is_empty(), "seed {}: {from} is a surprise", self.seed);
                self.model.insert(to, taken);
                if moves {
                    self.model.insert(from, vec![None]);
                }
            }
            Ok(false) => {
                assert!(self.model[&from].contains(&None), "seed {}: {from} is lost", self.seed);
                self.model.insert(from, vec![None]);
            }
            Err(_unknown) => {
                self.model.get_mut(&to).expect("a key of the model").extend(taken);
                if moves {
                    self.model.get_mut(&from).expect("a key of the model").push(None);
                }
            }
        }
    }

    /// Reads a key, which must be possible.
    async fn check_key(&mut self, store: &Store, bucket: &BucketRecord, key: &str) {
        match get(store, bucket, key).await {
            Ok(found) => self.judge(key, found.as_ref()),
            Err(error) => panic!("seed {}: {key} is damaged: {error}", self.seed),
        }
    }

    /// What was found must be something that the model knows; nothing else is possible from then on.
    fn judge(&mut self, key: &str, found: Option<&Vec<u8>>) {
        let seed = self.seed;
        let states = self.model.get_mut(key).expect("a key of the model");
        let state = states.iter().rev().find(|state| state.map(Content::make).as_ref() == found);
        let state = *state.unwrap_or_else(|| {
            let length = found.map(Vec::len);
            panic!("seed {seed}: {key} holds {length:?} bytes, not one of {states:?}")
        });
        *states = vec![state];
    }

    async fn check_all(&mut self, store: &Store, bucket: &BucketRecord) {
        let keys: Vec<String> = self.model.keys().cloned().collect();
        for key in &keys {
            self.check_key(store, bucket, key).await;
        }
        let query = ListQuery { prefix: "", delimiter: None, after: Marker::Start, keys_max: 1000 };
        let page = store.list(bucket, &query).expect("listed");
        let listed: Vec<(String, u64)> = page
            .items
            .into_iter()
            .filter_map(|item| match item {
                Item::Object { key, listed } => Some((key, listed.size)),
                Item::CommonPrefix(_) => None,
            })
            .collect();
        let expected: Vec<(String, u64)> = self
            .model
            .iter()
            .filter_map(|(key, states)| Some((key.clone(), states[0]?.bytes as u64)))
            .collect();
        assert_eq!(listed, expected, "seed {}", self.seed);
    }

    async fn live(&mut self, store: &Store, bucket: &BucketRecord, steps: u64) {
        for _ in 0..steps {
            match self.dice.below(14) {
                0..7 => self.writes(store, bucket).await,
                7..11 => self.transfer(store, bucket).await,
                11 => {
                    // An upload that nobody finishes.
                    let content = self.content();
                    drop(write_body(store, content).await);
                }
                _ => {
                    let key = format!("key/{}", self.dice.below(KEYS));
                    let is_sure = self.model[&key].len() == 1;
                    // The power may be off: then nothing can be read, but nothing wrong either.
                    if is_sure && let Ok(found) = get(store, bucket, &key).await {
                        self.judge(&key, found.as_ref());
                    }
                }
            }
        }
    }
}

/// One node through several lives.
fn run(seed: u64, extent_bytes: u64) {
    let mut node = Node::new(seed, extent_bytes);
    let mut history = History::new(seed);
    let bucket = node.run(async |store, _| create_bucket(store).await);
    for _ in 0..6 {
        let end = [End::Orderly, End::Cut, End::CutMidway][history.dice.below(3) as usize];
        let steps = 4 + history.dice.below(12);
        let disk = node.disk.clone();
        let simulation = disk.simulation().expect("simulated");
        let after = node.run(async |store, _| {
            if end == End::CutMidway {
                simulation.power_off_after(history.dice.below(200));
            }
            history.live(store, &bucket, steps).await;
            if end == End::Cut { Some(simulation.cut()) } else { None }
        });
        node.disk = match end {
            End::Orderly => node.disk,
            End::Cut => after.expect("cut"),
            End::CutMidway => simulation.cut(),
        };
        node.check_space_map();
        node.run(async |store, monitor: &Monitor| {
            history.check_all(store, &bucket).await;
            node.check_space(monitor).await;
        });
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_torn_in_small_extents() {
    for seed in seeds(5) {
        run(seed, 4 * MIB);
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_torn_in_large_extents() {
    for seed in seeds(5) {
        run(seed + 1000, 256 * MIB);
    }
}
