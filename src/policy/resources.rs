//! What a statement is about: buckets and objects, by patterns over `bucket` and `bucket/key`.

use super::context::Scene;
use super::error::{Place, RESOURCE};
use super::glob::Glob;
use super::json::Json;
use super::template::{Pattern, Syntax, Template};
use super::{Layer, PolicyError};

const ARN_PREFIX: &str = "arn:aws:s3:::";

/// `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resources {
    patterns: Vec<Pattern>,
    /// Whether one of them may name the bucket of the policy, and an object in it.
    pub(super) on_buckets: bool,
    pub(super) on_objects: bool,
}

impl Resources {
    /// Whether one of them is this `bucket` or `bucket/key`.
    pub(super) fn include(&self, resource: &str, scene: &Scene<'_>) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(resource, scene))
    }

    /// How many passes over a text its patterns may take.
    pub(super) fn searches(&self) -> usize {
        self.patterns.iter().map(Pattern::searches).sum()
    }

    /// `must_fit`: each must be able to name something of the layer.
    pub(super) fn parse(
        json: &Json,
        layer: Layer<'_>,
        must_fit: bool,
        has_variables: bool,
        place: &Place<'_>,
    ) -> Result<Self, PolicyError> {
        let mut resources = Self { patterns: Vec::new(), on_buckets: false, on_objects: false };
        let count = json.each(place, |value, place| {
            let text = value.as_string().ok_or_else(|| place.fault(RESOURCE))?;
            let is_fitting = resources.add(text, layer, has_variables);
            if is_fitting.is_some_and(|is_fitting| is_fitting || !must_fit) {
                Ok(())
            } else {
                Err(place.fault_of(RESOURCE, text))
            }
        })?;
        if count == 0 { Err(place.fault(RESOURCE)) } else { Ok(resources) }
    }

    /// Whether it can name something of the layer; `None` where it is no resource at all.
    fn add(&mut self, text: &str, layer: Layer<'_>, has_variables: bool) -> Option<bool> {
        let pattern = if text == "*" { text } else { text.strip_prefix(ARN_PREFIX)? };
        if pattern.is_empty() {
            return None;
        }
        let template = Template::parse(pattern, Syntax { has_variables, has_wildcards: true }).ok()?;
        let (on_buckets, on_objects) = reach(&template.widest_glob(), layer);
        self.on_buckets |= on_buckets;
        self.on_objects |= on_objects;
        self.patterns.push(Pattern::new(template));
        Some(on_buckets || on_objects)
    }
}

/// Whether a pattern may name the bucket, and objects in it.
fn reach(glob: &Glob, layer: Layer<'_>) -> (bool, bool) {
    match layer {
        Layer::Bucket(bucket) => (glob.matches(bucket), glob.can_begin(&format!("{bucket}/"))),
        Layer::Organisation => (true, true),
    }
}

#[cfg(test)]
#[path = "resources_tests.rs"]
mod tests;
