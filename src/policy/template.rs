//! Texts and patterns of a policy, which may hold variables: `${aws:username}`, with a default
//! `${aws:username, 'nobody'}`, and `${*}`, `${?}`, `${$}` for the signs themselves.
//!
//! What a variable brings is text: a `*` in a user's name is no wildcard. A variable without a value, or with several,
//! makes its text equal to nothing and its pattern match nothing. Documents of 2008-10-17 know no variables.

use super::context::{Scene, Source};
use super::glob::{Glob, GlobBuilder, SIGNS_PER_STEP};
use crate::config::limits::HEADER_SECTION_BYTES_MAX;

/// A piece of a text or pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// `?`, in patterns.
    AnyChar,
    /// `*`, in patterns.
    AnyRun,
    Variable {
        source: Source,
        default: Option<String>,
    },
}

/// What stands in a document, cut into pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

/// How a text of a document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) has_variables: bool,
    pub(super) has_wildcards: bool,
}

impl Template {
    /// Reads a text of a document. The error is what is wrong with a variable in it.
    pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Self, &'static str> {
        let mut template = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.find(['$', '*', '?']).unwrap_or(rest.len());
            let (text, special) = rest.split_at(plain);
            if !text.is_empty() {
                template.push(Piece::Text(text.to_owned()));
            }
            if let Some(inside) = special.strip_prefix("${").filter(|_| syntax.has_variables) {
                let (piece, after) = variable(inside)?;
                template.push(piece);
                rest = after;
                continue;
            }
            let Some(sign) = special.chars().next() else { break };
            template.push(match sign {
                '*' if syntax.has_wildcards => Piece::AnyRun,
                '?' if syntax.has_wildcards => Piece::AnyChar,
                sign => Piece::Text(sign.to_string()),
            });
            rest = &special[1..];
        }
        Ok(template)
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => self.pieces.push(piece),
        }
    }

    /// Cuts at the first `parts - 1` colons of the text, which need not be there. Colons in variables are none.
    pub(super) fn split_at_colons(self, parts: usize) -> Vec<Self> {
        let mut split = vec![Self::default()];
        for piece in self.pieces {
            let Piece::Text(text) = piece else {
                split.last_mut().expect("never empty").pieces.push(piece);
                continue;
            };
            let missing = parts - split.len() + 1;
            for (index, part) in text.splitn(missing, ':').enumerate() {
                if index > 0 {
                    split.push(Self::default());
                }
                if !part.is_empty() {
                    split.last_mut().expect("never empty").push(Piece::Text(part.to_owned()));
                }
            }
        }
        split
    }

    /// The pattern, if no variable is in it.
    fn fixed_glob(&self) -> Option<Glob> {
        (self.variables() == 0).then(|| self.widest_glob())
    }

    /// The pattern with a `*` for each variable: matches whatever any of its values could.
    pub(super) fn widest_glob(&self) -> Glob {
        let mut builder = GlobBuilder::default();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => builder.literal(text),
                Piece::AnyChar => builder.any_char(),
                Piece::AnyRun | Piece::Variable { .. } => builder.any_run(),
            }
        }
        builder.build()
    }

    fn variables(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Variable { .. })).count()
    }

    /// As [`Glob::searches`]. To put the value of a variable in is as much as one pass, and the value may be as long as
    /// the longest header.
    fn searches(&self) -> usize {
        const STEPS_OF_VALUE: usize = HEADER_SECTION_BYTES_MAX.div_ceil(SIGNS_PER_STEP);
        let segments: Vec<&[Piece]> = self.pieces.split(|piece| *piece == Piece::AnyRun).collect();
        let between = segments.get(1..segments.len().saturating_sub(1)).unwrap_or_default();
        let steps = |piece: &Piece| match piece {
            Piece::Text(text) => text.len().div_ceil(SIGNS_PER_STEP),
            Piece::Variable { .. } => STEPS_OF_VALUE,
            Piece::AnyChar | Piece::AnyRun => 1,
        };
        let passes = between.iter().map(|segment| {
            let is_mixed = segment.contains(&Piece::AnyChar);
            if is_mixed { segment.iter().map(steps).sum() } else { usize::from(!segment.is_empty()) }
        });
        self.variables() + passes.sum::<usize>()
    }

    /// The pattern for a request. `None` where it matches nothing, be it for a variable without a value or because no
    /// text up to this length could match.
    fn glob(&self, scene: &Scene<'_>, bytes_max: usize) -> Option<Glob> {
        let mut builder = GlobBuilder::default();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => builder.literal(text),
                Piece::AnyChar => builder.any_char(),
                Piece::AnyRun => builder.any_run(),
                Piece::Variable { source, default } => {
                    with_value(source, default.as_deref(), scene, |value| builder.literal(value))?;
                }
            }
            // A document could name a long value a thousand times.
            if builder.bytes_min() > bytes_max {
                return None;
            }
        }
        Some(builder.build())
    }

    /// The text, if no variable is in it.
    fn fixed_text(&self) -> Option<String> {
        match self.pieces.as_slice() {
            [] => Some(String::new()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// The text for a request; `None` as for [`Self::glob`].
    fn text(&self, scene: &Scene<'_>, bytes_max: usize) -> Option<String> {
        let mut result = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => result.push_str(text),
                Piece::AnyChar | Piece::AnyRun => return None,
                Piece::Variable { source, default } => {
                    with_value(source, default.as_deref(), scene, |value| result.push_str(value))?;
                }
            }
            if result.len() > bytes_max {
                return None;
            }
        }
        Some(result)
    }
}

/// Hands on the one value of a variable, or its default; `None` where it has neither.
fn with_value(
    source: &Source,
    default: Option<&str>,
    scene: &Scene<'_>,
    take: impl FnOnce(&str),
) -> Option<()> {
    match scene.values(source).as_deref() {
        Some([value]) => take(value),
        _ => take(default?),
    }
    Some(())
}

/// Reads what follows `${`; gives the piece and what follows its `}`.
fn variable(rest: &str) -> Result<(Piece, &str), &'static str> {
    for sign in ["*", "?", "$"] {
        if let Some(after) = rest.strip_prefix(sign).and_then(|rest| rest.strip_prefix('}')) {
            return Ok((Piece::Text(sign.to_owned()), after));
        }
    }
    let end = rest.find([',', '}']).ok_or("a variable without end")?;
    let source = Source::named(rest[..end].trim()).ok_or("a variable of an unknown key")?;
    if source.is_list() {
        return Err("a variable of a key with several values");
    }
    if let Some(after) = rest[end..].strip_prefix('}') {
        return Ok((Piece::Variable { source, default: None }, after));
    }
    let quoted = rest[end + 1..].trim_start().strip_prefix('\'').ok_or("a default without quotes")?;
    let (default, after) = quoted.split_once('\'').ok_or("a default without end")?;
    let after = after.trim_start().strip_prefix('}').ok_or("a variable without end")?;
    Ok((Piece::Variable { source, default: Some(default.to_owned()) }, after))
}

/// A pattern of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    Fixed(Glob),
    Variable(Template),
}

impl Pattern {
    pub(super) fn new(template: Template) -> Self {
        template.fixed_glob().map_or(Self::Variable(template), Self::Fixed)
    }

    /// How many passes over a text a match may take.
    pub(super) fn searches(&self) -> usize {
        match self {
            Self::Fixed(glob) => glob.searches(),
            Self::Variable(template) => template.searches(),
        }
    }

    pub(super) fn matches(&self, text: &str, scene: &Scene<'_>) -> bool {
        match self {
            Self::Fixed(glob) => glob.matches(text),
            Self::Variable(template) => {
                template.glob(scene, text.len()).is_some_and(|glob| glob.matches(text))
            }
        }
    }
}

/// A text of a document that is compared whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Fixed(String),
    Variable(Template),
}

impl Text {
    pub(super) fn new(template: Template) -> Self {
        template.fixed_text().map_or(Self::Variable(template), Self::Fixed)
    }

    /// As [`Pattern::searches`]: what variables bring is put together and compared.
    pub(super) fn searches(&self, ignores_case: bool) -> usize {
        /// To fold two texts, character by character, costs as much as so many passes over one.
        const PASSES_OF_FOLDING: usize = 8;
        match self {
            Self::Fixed(_) => 0,
            Self::Variable(template) => {
                template.variables() * if ignores_case { PASSES_OF_FOLDING } else { 1 }
            }
        }
    }

    pub(super) fn equals(&self, value: &str, ignores_case: bool, scene: &Scene<'_>) -> bool {
        let resolved;
        let text = match self {
            Self::Fixed(text) => text,
            Self::Variable(template) => {
                // Folding may change the length, by less than this.
                let bytes_max = if ignores_case { value.len() * 4 } else { value.len() };
                match template.text(scene, bytes_max) {
                    Some(text) => {
                        resolved = text;
                        &resolved
                    }
                    None => return false,
                }
            }
        };
        if ignores_case { fold(text).eq(fold(value)) } else { text == value }
    }
}

fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
