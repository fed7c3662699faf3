//! What the lifecycle rules of a bucket want, and when: pure, and quick to say that they want nothing.
//!
//! A rule is about the keys that begin with its prefix. The prefixes stand in order, each with the longest of the others
//! that it begins with, its *parent*. The prefixes of a key are then found by one binary search: any of them sorts
//! before the key, and all that sorts between it and the key begins with it; so the last prefix that is not greater
//! than the key is one of them or begins with all of them.

use crate::config::Calendar;
use crate::index::record::{Expiration, LifecycleFilter, LifecycleRule, LifecycleRules, Listed};

/// When a rule wants something, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due<'r> {
    /// Unix milliseconds; from then on.
    pub at_ms: i64,
    pub rule_id: &'r str,
}

/// The rules of a bucket, ready to be asked.
#[derive(Debug)]
pub struct Rules {
    /// In their order; of the others nothing is kept.
    enabled: Vec<LifecycleRule>,
    calendar: Calendar,
    /// In order; see above.
    prefixes: Vec<Prefix>,
}

#[derive(Debug)]
struct Prefix {
    text: String,
    parent: Option<usize>,
    /// Places of the rules that have it.
    rules: Vec<usize>,
    /// What these rules, and those of all parents, are about.
    concern: Concern,
}

/// What rules are about, by their prefixes alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Concern {
    /// The age of current objects.
    pub(in crate::store) current: bool,
    /// Noncurrent versions; so many of them stay at most where rules count them.
    pub(in crate::store) noncurrent: Option<u32>,
    /// Delete markers that are all that is left of a key.
    pub(in crate::store) markers: bool,
    pub(in crate::store) uploads: bool,
}

impl Rules {
    pub fn new(LifecycleRules(rules): LifecycleRules, calendar: Calendar) -> Self {
        let rules: Vec<LifecycleRule> = rules.into_iter().filter(|rule| rule.enabled).collect();
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by_key(|place| prefix_of(&rules[*place]));
        let mut prefixes: Vec<Prefix> = Vec::new();
        for place in order {
            let (text, concern) = (prefix_of(&rules[place]), Concern::of(&rules[place]));
            if let Some(last) = prefixes.last_mut().filter(|last| last.text == text) {
                last.rules.push(place);
                last.concern = last.concern.and(concern);
                continue;
            }
            let mut parent = prefixes.len().checked_sub(1);
            while let Some(at) = parent.filter(|at| !text.starts_with(&prefixes[*at].text)) {
                parent = prefixes[at].parent;
            }
            let inherited = parent.map(|at| prefixes[at].concern).unwrap_or_default();
            let concern = inherited.and(concern);
            prefixes.push(Prefix { text: text.to_owned(), parent, rules: vec![place], concern });
        }
        Self { enabled: rules, calendar, prefixes }
    }

    /// How many rules are enabled.
    pub(in crate::store) fn count(&self) -> usize {
        self.enabled.len()
    }

    /// When the current object of a key expires. The soonest rule is the one named.
    pub fn expiry_of_current(
        &self,
        key: &str,
        listed: &Listed,
        tags: &[(String, String)],
    ) -> Option<Due<'_>> {
        if listed.delete_marker {
            return None;
        }
        self.soonest(key, |rule| {
            let at_ms = match rule.expiration? {
                Expiration::Days(days) => self.calendar.due_ms(listed.last_modified_ms, days),
                Expiration::Date(at_ms) => at_ms,
                Expiration::ExpiredObjectDeleteMarker(_) => return None,
            };
            covers(&rule.filter, listed.size, tags).then_some(at_ms)
        })
    }

    /// When a version that is not the newest of its key goes: it was superseded at a time, and so many noncurrent
    /// versions that stay are newer.
    pub fn expiry_of_noncurrent(
        &self,
        key: &str,
        listed: &Listed,
        tags: &[(String, String)],
        superseded_ms: i64,
        newer: usize,
    ) -> Option<Due<'_>> {
        self.soonest(key, |rule| {
            let noncurrent = rule.noncurrent?;
            if noncurrent.newer_versions.is_some_and(|kept| newer < kept as usize) {
                return None;
            }
            let at_ms = match (noncurrent.days, noncurrent.newer_versions) {
                (Some(days), _) => self.calendar.due_ms(superseded_ms, days),
                (None, Some(_)) => superseded_ms,
                (None, None) => return None,
            };
            covers(&rule.filter, listed.size, tags).then_some(at_ms)
        })
    }

    /// When a delete marker that is all that is left of its key goes: at once by a rule about such markers, with its age
    /// by a rule about the age of what is current.
    pub fn expiry_of_lone_marker(&self, key: &str, marker: &Listed) -> Option<Due<'_>> {
        self.soonest(key, |rule| {
            let at_ms = match rule.expiration? {
                Expiration::Days(days) => self.calendar.due_ms(marker.last_modified_ms, days),
                Expiration::Date(at_ms) => at_ms,
                Expiration::ExpiredObjectDeleteMarker(true) => i64::MIN,
                Expiration::ExpiredObjectDeleteMarker(false) => return None,
            };
            covers(&rule.filter, 0, &[]).then_some(at_ms)
        })
    }

    /// When an upload is aborted.
    pub fn abort_of_upload(&self, key: &str, initiated_ms: i64) -> Option<Due<'_>> {
        self.soonest(key, |rule| rule.abort_upload_days.map(|days| self.calendar.due_ms(initiated_ms, days)))
    }

    /// What the rules for a key are about; more than they are in truth where they have tags or sizes.
    pub(in crate::store) fn concern(&self, key: &str) -> Concern {
        self.longest_prefix(key).map(|at| self.prefixes[at].concern).unwrap_or_default()
    }

    /// The next prefix of a rule that is greater than a key.
    pub(in crate::store) fn next_prefix(&self, key: &str) -> Option<&str> {
        let next = self.prefixes.partition_point(|prefix| prefix.text.as_str() <= key);
        self.prefixes.get(next).map(|prefix| prefix.text.as_str())
    }

    fn soonest(&self, key: &str, at_ms: impl Fn(&LifecycleRule) -> Option<i64>) -> Option<Due<'_>> {
        self.matching(key)
            .filter_map(|(place, rule)| Some((at_ms(rule)?, place)))
            .min()
            .map(|(at_ms, place)| Due { at_ms, rule_id: &self.enabled[place].id })
    }

    /// The rules whose prefixes the key has, with their places.
    fn matching(&self, key: &str) -> impl Iterator<Item = (usize, &LifecycleRule)> {
        std::iter::successors(self.longest_prefix(key), |at| self.prefixes[*at].parent)
            .flat_map(|at| &self.prefixes[at].rules)
            .map(|place| (*place, &self.enabled[*place]))
    }

    fn longest_prefix(&self, key: &str) -> Option<usize> {
        let mut longest = self.prefixes.partition_point(|prefix| prefix.text.as_str() <= key).checked_sub(1);
        while let Some(at) = longest.filter(|at| !key.starts_with(&self.prefixes[*at].text)) {
            longest = self.prefixes[at].parent;
        }
        longest
    }
}

impl Concern {
    fn of(rule: &LifecycleRule) -> Self {
        let current = matches!(rule.expiration, Some(Expiration::Days(_) | Expiration::Date(_)));
        Self {
            current,
            noncurrent: rule.noncurrent.map(|noncurrent| noncurrent.newer_versions.unwrap_or(0)),
            markers: current || rule.expiration == Some(Expiration::ExpiredObjectDeleteMarker(true)),
            uploads: rule.abort_upload_days.is_some(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            current: self.current || other.current,
            noncurrent: self.noncurrent.max(other.noncurrent),
            markers: self.markers || other.markers,
            uploads: self.uploads || other.uploads,
        }
    }
}

fn prefix_of(rule: &LifecycleRule) -> &str {
    rule.filter.prefix.as_deref().unwrap_or_default()
}

/// Whether a filter, its prefix aside, is about what has this size and these tags.
fn covers(filter: &LifecycleFilter, size: u64, tags: &[(String, String)]) -> bool {
    filter.size_greater_than.is_none_or(|bound| size > bound)
        && filter.size_less_than.is_none_or(|bound| size < bound)
        && filter.tags.iter().all(|tag| tags.contains(tag))
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
