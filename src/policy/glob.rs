//! Patterns of `*` (any text, also with slashes) and `?` (one character).
//!
//! Matching takes no backtracking. A pattern is cut at its stars into segments; the first must stand at the start of
//! the text, the last at its end, and each between is taken where it first occurs after the one before, which leaves
//! the most for the rest. A segment without `?` is found in linear time (`memmem`); one with `?` by the Shift-And
//! algorithm: a state machine with one bit a sign, all bits of 64 signs moved at once. So the worst case is one pass
//! over the text for each segment between two stars, or for each 64 signs of it. How many of these a policy may need
//! is a limit (`POLICY_SEARCHES_MAX`); all else costs at most a look at each byte of the policy.

use memchr::memmem;

/// Signs of a segment that Shift-And moves at once.
pub(super) const SIGNS_PER_STEP: usize = u64::BITS as usize;

/// One sign of a pattern that has no star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A byte of a character that stands for itself.
    Byte(u8),
    /// `?`.
    AnyChar,
}

/// A compiled pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Glob {
    /// What stands between the stars. One: there is no star.
    segments: Vec<Segment>,
    /// Of every text that matches.
    bytes_min: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(Vec<u8>),
    Mixed(Vec<Sign>),
}

/// Puts a pattern together.
#[derive(Debug, Default)]
pub(super) struct GlobBuilder {
    glob: Glob,
    open: Vec<Sign>,
}

impl GlobBuilder {
    pub(super) fn literal(&mut self, text: &str) {
        self.glob.bytes_min += text.len();
        self.open.extend(text.bytes().map(Sign::Byte));
    }

    pub(super) fn any_char(&mut self) {
        self.glob.bytes_min += 1;
        self.open.push(Sign::AnyChar);
    }

    pub(super) fn any_run(&mut self) {
        let is_first = self.glob.segments.is_empty();
        // Two stars in a row are one.
        if is_first || !self.open.is_empty() {
            self.close();
        }
    }

    fn close(&mut self) {
        let signs = std::mem::take(&mut self.open);
        let bytes: Option<Vec<u8>> = signs
            .iter()
            .map(|sign| match sign {
                Sign::Byte(byte) => Some(*byte),
                Sign::AnyChar => None,
            })
            .collect();
        self.glob.segments.push(bytes.map_or(Segment::Mixed(signs), Segment::Literal));
    }

    /// Of the shortest text that would match so far.
    pub(super) fn bytes_min(&self) -> usize {
        self.glob.bytes_min
    }

    pub(super) fn build(mut self) -> Glob {
        self.close();
        self.glob
    }
}

impl Glob {
    pub(super) fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if text.len() < self.bytes_min {
            return false;
        }
        let Some((first, others)) = self.segments.split_first() else { return false };
        let Some(rest) = first.after_start(text) else { return false };
        let Some((last, between)) = others.split_last() else { return rest.is_empty() };
        let Some(mut rest) = last.before_end(rest) else { return false };
        for segment in between {
            let Some(after) = segment.after_first(rest) else { return false };
            rest = after;
        }
        true
    }

    /// How many passes over a text a match may take.
    pub(super) fn searches(&self) -> usize {
        let between = self.segments.get(1..self.segments.len().saturating_sub(1)).unwrap_or_default();
        between.iter().map(Segment::searches).sum()
    }

    /// Whether some text that starts like this matches.
    pub(super) fn can_begin(&self, start: &str) -> bool {
        let Some((first, others)) = self.segments.split_first() else { return false };
        let mut rest = start.as_bytes();
        for sign in first.signs() {
            if rest.is_empty() {
                return true;
            }
            let Some(after) = sign.after(rest) else { return false };
            rest = after;
        }
        rest.is_empty() || !others.is_empty()
    }
}

impl Segment {
    fn signs(&self) -> impl DoubleEndedIterator<Item = Sign> + '_ {
        let (bytes, signs): (&[u8], &[Sign]) = match self {
            Self::Literal(bytes) => (bytes, &[]),
            Self::Mixed(signs) => (&[], signs),
        };
        bytes.iter().map(|byte| Sign::Byte(*byte)).chain(signs.iter().copied())
    }

    fn searches(&self) -> usize {
        match self {
            Self::Literal(_) => 1,
            Self::Mixed(signs) => signs.len().div_ceil(SIGNS_PER_STEP),
        }
    }

    /// What follows, where the text starts with this.
    fn after_start<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Literal(bytes) => text.strip_prefix(bytes.as_slice()),
            Self::Mixed(signs) => signs.iter().try_fold(text, |rest, sign| sign.after(rest)),
        }
    }

    /// What precedes, where the text ends with this.
    fn before_end<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Literal(bytes) => text.strip_suffix(bytes.as_slice()),
            Self::Mixed(signs) => signs.iter().rev().try_fold(text, |rest, sign| sign.before(rest)),
        }
    }

    /// What follows the first place where this stands.
    fn after_first<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Literal(bytes) => memmem::find(text, bytes).map(|at| &text[at + bytes.len()..]),
            Self::Mixed(signs) => end_of_first(signs, text).map(|end| &text[end..]),
        }
    }
}

impl Sign {
    fn after(self, text: &[u8]) -> Option<&[u8]> {
        let (first, rest) = text.split_first()?;
        match self {
            Self::Byte(byte) => (byte == *first).then_some(rest),
            Self::AnyChar => {
                let continued = rest.iter().take_while(|byte| continues(**byte)).count();
                Some(&rest[continued..])
            }
        }
    }

    fn before(self, text: &[u8]) -> Option<&[u8]> {
        let (last, rest) = text.split_last()?;
        match self {
            Self::Byte(byte) => (byte == *last).then_some(rest),
            Self::AnyChar => text.iter().rposition(|byte| !continues(*byte)).map(|start| &text[..start]),
        }
    }
}

/// Whether a byte is inside a character of UTF-8, not its first.
fn continues(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Shift-And: bit `n` of the state says that the first `n + 1` signs stand right before the current place.
fn end_of_first(signs: &[Sign], text: &[u8]) -> Option<usize> {
    let words = signs.len().div_ceil(SIGNS_PER_STEP);
    // For each word, which of its signs are this byte.
    let mut is_byte = vec![[0_u64; 256]; words];
    let mut is_any = vec![0_u64; words];
    for (index, sign) in signs.iter().enumerate() {
        let bit = 1 << (index % SIGNS_PER_STEP);
        match sign {
            Sign::Byte(byte) => is_byte[index / SIGNS_PER_STEP][usize::from(*byte)] |= bit,
            Sign::AnyChar => is_any[index / SIGNS_PER_STEP] |= bit,
        }
    }
    let last = 1 << ((signs.len() - 1) % SIGNS_PER_STEP);
    let mut state = vec![0_u64; words];
    for (at, byte) in text.iter().enumerate() {
        let mut carry = 1;
        for ((state, is_byte), is_any) in state.iter_mut().zip(&is_byte).zip(&is_any) {
            let shifted = *state << 1 | carry;
            carry = *state >> 63;
            let bytes = is_byte[usize::from(*byte)];
            // `?` begins with a character and stays until it ends.
            *state =
                if continues(*byte) { shifted & bytes | *state & is_any } else { shifted & (bytes | is_any) };
        }
        let is_found = state[words - 1] & last != 0;
        if is_found && text.get(at + 1).is_none_or(|next| !continues(*next)) {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
