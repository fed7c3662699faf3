//! One statement: what it is about, and whether a request is that.

use std::sync::Arc;

use super::PolicyError;
use super::action::ActionSet;
use super::condition::Condition;
use super::context::Scene;
use super::document::Layer;
use super::error::{ALLOW_BUT_PRINCIPAL, EFFECT, NOTHING_FITS, Place, SID_SIGNS, SYNTAX, UNKNOWN_FIELD};
use super::json::Json;
use super::named_actions::NamedActions;
use super::principals::{self, Principals};
use super::resources::Resources;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatementEffect {
    Allow,
    Deny,
}

/// A checked statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sid: Option<Arc<str>>,
    pub(super) effect: StatementEffect,
    principals: Principals,
    actions: ActionSet,
    /// `NotAction`.
    are_actions_excluded: bool,
    resources: Resources,
    /// `NotResource`.
    are_resources_excluded: bool,
    conditions: Vec<Condition>,
}

impl Statement {
    /// Whether the request is one that this statement is about. What costs least is asked first.
    pub(super) fn is_about(&self, scene: &Scene<'_>, names: ActionSet, is_of_org: bool) -> bool {
        self.actions.intersects(names) != self.are_actions_excluded
            && self.principals.include(scene.request.principal, is_of_org)
            && self.resources.include(scene.resource(), scene) != self.are_resources_excluded
            && self.conditions.iter().all(|condition| condition.holds(scene))
    }

    /// How many passes over texts its patterns may take.
    pub(super) fn searches(&self) -> usize {
        self.resources.searches() + self.conditions.iter().map(Condition::searches).sum::<usize>()
    }

    pub(super) fn parse(
        json: &Json,
        layer: Layer<'_>,
        has_variables: bool,
        place: &Place<'_>,
    ) -> Result<Self, PolicyError> {
        let elements = Elements::parse(json, place)?;
        let effect = match elements.effect.as_ref().map(|(json, place)| (json.as_string(), place)) {
            None => return Err(place.fault("Missing required field Effect")),
            Some((Some("Allow"), _)) => StatementEffect::Allow,
            Some((Some("Deny"), _)) => StatementEffect::Deny,
            Some((Some(text), place)) => return Err(place.fault_of(EFFECT, text)),
            Some((None, place)) => return Err(place.fault(EFFECT)),
        };
        let sid = elements.sid.as_ref().map(|(json, place)| parse_sid(json, place)).transpose()?.flatten();
        let principals = elements.principals(effect, layer, place)?;
        let (actions, are_actions_excluded, actions_place) =
            one_of(elements.action, elements.not_action, "Missing required field Action", place)?;
        let actions = NamedActions::parse(actions, &actions_place)?;
        let (resources, are_resources_excluded, resources_place) =
            one_of(elements.resource, elements.not_resource, "Missing required field Resource", place)?;
        let must_fit = !are_resources_excluded;
        let resources = Resources::parse(resources, layer, must_fit, has_variables, &resources_place)?;
        let fits = actions.on_buckets && resources.on_buckets || actions.on_objects && resources.on_objects;
        let are_named = !are_actions_excluded && !are_resources_excluded;
        if matches!(layer, Layer::Bucket(_)) && are_named && !fits {
            return Err(actions_place.fault(NOTHING_FITS));
        }
        let conditions = match &elements.condition {
            Some((json, place)) => Condition::parse_all(json, has_variables, place)?,
            None => Vec::new(),
        };
        Ok(Self {
            sid,
            effect,
            principals,
            actions: actions.set,
            are_actions_excluded,
            resources,
            are_resources_excluded,
            conditions,
        })
    }
}

/// The elements of a statement, each with its place.
#[derive(Default)]
struct Elements<'a> {
    sid: Option<Element<'a>>,
    effect: Option<Element<'a>>,
    principal: Option<Element<'a>>,
    not_principal: Option<Element<'a>>,
    action: Option<Element<'a>>,
    not_action: Option<Element<'a>>,
    resource: Option<Element<'a>>,
    not_resource: Option<Element<'a>>,
    condition: Option<Element<'a>>,
}

type Element<'a> = (&'a Json, Place<'a>);

impl<'a> Elements<'a> {
    fn parse(json: &'a Json, place: &'a Place<'a>) -> Result<Self, PolicyError> {
        let mut elements = Self::default();
        for (name, value) in json.as_object().ok_or_else(|| place.fault(SYNTAX))? {
            let place = place.name(name);
            let element = match name.as_str() {
                "Sid" => &mut elements.sid,
                "Effect" => &mut elements.effect,
                "Principal" => &mut elements.principal,
                "NotPrincipal" => &mut elements.not_principal,
                "Action" => &mut elements.action,
                "NotAction" => &mut elements.not_action,
                "Resource" => &mut elements.resource,
                "NotResource" => &mut elements.not_resource,
                "Condition" => &mut elements.condition,
                _ => return Err(place.fault(UNKNOWN_FIELD)),
            };
            *element = Some((value, place));
        }
        Ok(elements)
    }

    fn principals(
        &self,
        effect: StatementEffect,
        layer: Layer<'_>,
        place: &Place<'_>,
    ) -> Result<Principals, PolicyError> {
        match (&self.principal, &self.not_principal) {
            (Some(_), Some((_, place))) => Err(place.fault(SYNTAX)),
            (Some((json, place)), None) => principals::parse_list(json, place).map(Principals::Only),
            (None, Some((_, place))) if effect == StatementEffect::Allow => {
                Err(place.fault(ALLOW_BUT_PRINCIPAL))
            }
            (None, Some((json, place))) => principals::parse_list(json, place).map(Principals::AllBut),
            (None, None) if layer == Layer::Organisation => Ok(Principals::OfTheOrg),
            (None, None) => Err(place.fault("Missing required field Principal")),
        }
    }
}

/// The one of two elements that is there; whether it is the second.
fn one_of<'a>(
    first: Option<Element<'a>>,
    second: Option<Element<'a>>,
    missing: &'static str,
    place: &Place<'_>,
) -> Result<(&'a Json, bool, Place<'a>), PolicyError> {
    match (first, second) {
        (Some((json, place)), None) => Ok((json, false, place)),
        (None, Some((json, place))) => Ok((json, true, place)),
        (Some(_), Some((_, place))) => Err(place.fault(SYNTAX)),
        (None, None) => Err(place.fault(missing)),
    }
}

/// An empty Sid, as some tools give to every statement, is none.
fn parse_sid(json: &Json, place: &Place<'_>) -> Result<Option<Arc<str>>, PolicyError> {
    let text = json.as_string().ok_or_else(|| place.fault(SID_SIGNS))?;
    let is_sign = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if !text.bytes().all(is_sign) {
        return Err(place.fault_of(SID_SIGNS, text));
    }
    Ok((!text.is_empty()).then(|| text.into()))
}
