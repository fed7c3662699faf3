//! The senders and policies that a call is tried with, and whether it must be served. What must be served follows from
//! the needs of the call and from the way in which each cell is made, not from judging policies.

use std::slice;

use serde_json::{Value, json};

use super::fixture::Fixture;
use super::node::{COLLEAGUE, MEMBER, Node, OWNER, Person, SOURCE_MEMBER, SOURCE_OWNER, STRANGER, Sender};
use super::permissions::{Call, Need, Of};
use super::recipes::key_of;
use crate::policy::Action;

/// Stands for the name of the bucket in policies.
const BUCKET: &str = "BUCKET";

/// One way to ask for a call.
pub(super) struct Cell {
    pub(super) name: String,
    pub(super) sender: Sender,
    policy: Option<Value>,
    /// The policy of another bucket, whose name begins with the name of this one.
    twin_policy: Option<Value>,
    /// Policies of organisations.
    pub(super) org_policies: Vec<(&'static str, Vec<Value>)>,
    pub(super) is_served: bool,
}

impl Cell {
    pub(super) fn policy(&self, bucket: &str) -> Option<String> {
        text(self.policy.as_ref(), bucket)
    }

    pub(super) fn has_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// Asks while the policies of organisations are in force: nothing that is prepared needs to know of them.
    pub(super) fn under_org_policies<T>(&self, node: &mut Node, ask: impl FnOnce(&mut Node) -> T) -> T {
        for (org, policies) in &self.org_policies {
            node.set_org_policies(org, &policies.iter().map(Value::to_string).collect::<Vec<_>>());
        }
        let asked = ask(node);
        for (org, _) in &self.org_policies {
            node.set_org_policies(org, &[]);
        }
        asked
    }

    /// The owner, and no policy.
    pub(super) fn of_owner(focus: &Focus) -> Self {
        let (name, sender) = ("no policy".to_owned(), Some(focus.owner));
        Self { name, sender, policy: None, twin_policy: None, org_policies: Vec::new(), is_served: true }
    }

    pub(super) fn twin_policy(&self, twin: &str) -> Option<String> {
        text(self.twin_policy.as_ref(), twin)
    }
}

fn text(policy: Option<&Value>, bucket: &str) -> Option<String> {
    Some(policy?.to_string().replace(BUCKET, bucket))
}

/// A bucket that a call needs something of: the one that it is addressed to, or the source of a copy.
pub(super) struct Focus {
    pub(super) owner: &'static Person,
    member: &'static Person,
    needs: Vec<Need>,
    /// Of the other bucket as well.
    all_needs: &'static [Need],
    is_anonymous: bool,
    /// The bucket's policy is not asked, and nobody else is let in.
    is_for_members_only: bool,
    pub(super) is_source: bool,
}

impl Focus {
    /// What the call needs something of.
    pub(super) fn all_of(call: &'static Call) -> Vec<Self> {
        let places = if call.has_source() { vec![false, true] } else { vec![false] };
        let focus = |is_source| Self {
            owner: if is_source { &SOURCE_OWNER } else { &OWNER },
            member: if is_source { &SOURCE_MEMBER } else { &MEMBER },
            needs: call.needs.iter().copied().filter(|need| (need.of == Of::Source) == is_source).collect(),
            all_needs: call.needs,
            is_anonymous: call.is_anonymous,
            is_for_members_only: call.operation == "PutBucketPolicy",
            is_source,
        };
        places.into_iter().map(focus).collect()
    }

    pub(super) fn bucket<'f>(&self, fixture: &'f Fixture) -> &'f str {
        if self.is_source { &fixture.source_bucket } else { &fixture.bucket }
    }

    pub(super) fn cells(&self) -> Vec<Cell> {
        let mut cells = self.without_policy();
        if self.is_without_bucket() {
            cells.extend(self.unconcerned());
            cells.extend(self.of_organisations());
            return cells;
        }
        cells.extend(self.allowing());
        cells.extend(self.allowing_others());
        cells.extend(self.allowing_all_but_one());
        cells.extend(self.allowing_elsewhere());
        cells.extend(self.denying());
        cells.extend(self.denying_some());
        cells.extend(self.under_conditions());
        cells.extend(self.of_organisations());
        cells
    }

    fn is_without_bucket(&self) -> bool {
        self.needs.iter().all(|need| need.of == Of::Nothing)
    }

    /// What a policy must allow.
    fn wanted(&self) -> impl Iterator<Item = &Need> {
        self.needs.iter().filter(|need| !need.is_only_denied)
    }

    /// Whether it is served where no statement denies it; `allows`: statements allow all that it needs.
    fn serves(&self, sender: Sender, allows: bool) -> bool {
        match sender {
            Some(person) if person.org == self.owner.org => true,
            Some(_) => allows && !self.is_for_members_only,
            None => allows && self.is_anonymous && !self.is_for_members_only,
        }
    }

    fn cell(&self, name: &str, sender: Sender, statements: &[Value], allows: bool) -> Cell {
        let is_served = self.serves(sender, allows);
        let policy = Some(json!({"Version": "2012-10-17", "Statement": statements}));
        Cell { name: name.to_owned(), sender, policy, twin_policy: None, org_policies: Vec::new(), is_served }
    }

    /// A cell in which a statement denies it to this sender.
    fn denied(&self, name: &str, sender: Sender, statements: &[Value]) -> Cell {
        let is_member = sender.is_some_and(|person| person.org == self.owner.org);
        let is_served = self.is_for_members_only && is_member;
        Cell { is_served, ..self.cell(name, sender, statements, false) }
    }

    fn senders(&self) -> [Sender; 4] {
        [Some(self.owner), Some(self.member), Some(&STRANGER), None]
    }

    fn without_policy(&self) -> Vec<Cell> {
        let cell = |sender: Sender| Cell {
            name: "no policy".to_owned(),
            sender,
            policy: None,
            twin_policy: None,
            org_policies: Vec::new(),
            is_served: if self.is_without_bucket() { sender.is_some() } else { self.serves(sender, false) },
        };
        self.senders().into_iter().map(cell).collect()
    }

    /// Where there is no bucket no bucket's policy counts.
    fn unconcerned(&self) -> Vec<Cell> {
        let everything = statement("Allow", &everybody(), &["s3:*"], &whole_bucket());
        let nothing = statement("Deny", &everybody(), &["s3:*"], &whole_bucket());
        let cell = |sender: Sender, name: &str, policy: &Value| Cell {
            is_served: sender.is_some(),
            ..self.cell(name, sender, slice::from_ref(policy), false)
        };
        let both = |sender| [cell(sender, "allowed", &everything), cell(sender, "denied", &nothing)];
        self.senders().into_iter().flat_map(both).collect()
    }

    /// Allows what is needed and nothing else, by the names of the specification or by AWS's.
    fn exactly(&self, principal: &Value, name: impl Fn(&Need) -> &'static str) -> Vec<Value> {
        let allow = |need: &Need| statement("Allow", principal, &[&action(name(need))], &[resource_of(need)]);
        self.wanted().map(allow).collect()
    }

    fn allowing(&self) -> Vec<Cell> {
        let everything = [statement("Allow", &everybody(), &["s3:*"], &whole_bucket())];
        let org = json!({"AWS": STRANGER.org});
        let user = json!({"CW": format!("arn:aws:iam::{}:coreweave/{}", STRANGER.org, STRANGER.user)});
        let key = json!({"AWS": [format!("arn:aws:iam:::user/{}", STRANGER.access_key)]});
        let mut cells = vec![
            self.cell(
                "exactly, to the organisation",
                Some(&STRANGER),
                &self.exactly(&org, |need| need.action),
                true,
            ),
            self.cell(
                "exactly, to the user",
                Some(&STRANGER),
                &self.exactly(&user, |need| need.action),
                true,
            ),
            self.cell("exactly, to the key", Some(&STRANGER), &self.exactly(&key, |need| need.finest), true),
            self.cell(
                "exactly, to the organisation",
                Some(&COLLEAGUE),
                &self.exactly(&org, |need| need.finest),
                true,
            ),
            self.cell(
                "exactly, to a colleague",
                Some(&COLLEAGUE),
                &self.exactly(&user, |need| need.action),
                false,
            ),
            self.cell(
                "exactly, to a colleague's key",
                Some(&COLLEAGUE),
                &self.exactly(&key, |need| need.action),
                false,
            ),
        ];
        for sender in self.senders() {
            let to_all = self.exactly(&everybody(), |need| need.action);
            cells.push(self.cell("exactly, to everybody", sender, &to_all, true));
            let finest = self.exactly(&everybody(), |need| need.finest);
            cells.push(self.cell("exactly by AWS's names, to everybody", sender, &finest, true));
            cells.push(self.cell("everything, to everybody", sender, &everything, true));
        }
        cells
    }

    /// To somebody else than the sender.
    fn allowing_others(&self) -> Vec<Cell> {
        let others = [
            ("to another organisation", json!({"AWS": "others"})),
            ("to the owning organisation", json!({"AWS": self.owner.org})),
            ("to a namesake", json!({"AWS": format!("arn:aws:iam::others:coreweave/{}", STRANGER.user)})),
            ("to a group", json!({"AWS": format!("arn:aws:iam::{}:saml/{}", STRANGER.org, STRANGER.user)})),
        ];
        let mut cells = Vec::new();
        for (name, principal) in others {
            let statements = [statement("Allow", &principal, &["s3:*"], &whole_bucket())];
            for sender in [Some(&STRANGER), None] {
                cells.push(self.cell(name, sender, &statements, false));
            }
        }
        let strangers = json!({"AWS": STRANGER.org});
        cells.push(self.cell("to who signs", None, &self.exactly(&strangers, |need| need.action), false));
        cells
    }

    fn allowing_all_but_one(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for need in self.wanted() {
            let listed = statement("Allow", &everybody(), &all_actions_but(need), &whole_bucket());
            let inverse = inverted(listed.clone(), "Action", json!(action(need.action)));
            for sender in [Some(&STRANGER), None] {
                let name = format!("all but {}", need.action);
                cells.push(self.cell(&name, sender, slice::from_ref(&listed), false));
                cells.push(self.cell(
                    &format!("{name}, by NotAction"),
                    sender,
                    slice::from_ref(&inverse),
                    false,
                ));
            }
        }
        cells
    }

    /// Everything, but of something else.
    fn allowing_elsewhere(&self) -> Vec<Cell> {
        let allow = |resources: &[String]| vec![statement("Allow", &everybody(), &["s3:*"], resources)];
        let all_are = |is_kind: fn(Of) -> bool| self.wanted().all(|need| is_kind(need.of));
        let is_bucket = |of| matches!(of, Of::Bucket);
        let mut cells = Vec::new();
        for sender in [Some(&STRANGER), None] {
            let mut cell = |name: &str, statements: &[Value], allows: bool| {
                cells.push(self.cell(name, sender, statements, allows));
            };
            cell("of the bucket alone", &allow(&[arn("")]), all_are(is_bucket));
            cell("of objects alone", &allow(&[arn("/*")]), all_are(|of| !matches!(of, Of::Bucket)));
            cell("of another prefix", &allow(&[arn("/elsewhere/*")]), false);
            cell("of the prefix", &allow(&[arn(""), arn("/dir/*")]), true);
            if all_are(|of| !matches!(of, Of::Bucket)) {
                let changed = |change: fn(&str) -> String| -> Vec<String> {
                    self.wanted()
                        .filter_map(|need| key_of(need.of))
                        .map(|key| arn(&format!("/{}", change(key))))
                        .collect()
                };
                cell("of shorter keys", &allow(&changed(|key| key[..key.len() - 1].to_owned())), false);
                cell("of longer keys", &allow(&changed(|key| format!("{key}?"))), false);
                cell("of keys in other letters", &allow(&changed(str::to_uppercase)), false);
                cell("of the keys' beginnings", &allow(&changed(|key| format!("{}*", &key[..5]))), true);
            }
        }
        let everything = json!({"Statement": allow(&whole_bucket())});
        for sender in [Some(&STRANGER), None] {
            let name = "of a bucket with a longer name".to_owned();
            let twin_policy = Some(everything.clone());
            cells.push(Cell {
                name,
                sender,
                policy: None,
                twin_policy,
                org_policies: Vec::new(),
                is_served: false,
            });
            let nothing = [statement("Allow", &everybody(), &["s3:PutAccelerateConfiguration"], &[arn("")])];
            let cell = self.cell("of a bucket with a longer name, with a policy", sender, &nothing, false);
            cells.push(Cell { twin_policy: Some(everything.clone()), ..cell });
        }
        cells
    }

    /// Each needed action, beside a statement that allows everything.
    fn denying(&self) -> Vec<Cell> {
        let everything = statement("Allow", &everybody(), &["s3:*"], &whole_bucket());
        let mut cells = Vec::new();
        for need in &self.needs {
            let mut names = vec![need.action, need.finest];
            names.dedup();
            for denied in names {
                let denial = statement("Deny", &everybody(), &[&action(denied)], &[resource_of(need)]);
                for sender in self.senders() {
                    let name = format!("{denied} denied");
                    let before = [denial.clone(), everything.clone()];
                    let behind = [everything.clone(), denial.clone()];
                    cells.push(self.denied(&name, sender, if sender.is_some() { &behind } else { &before }));
                }
            }
        }
        cells
    }

    /// Denials that are about some and not about others.
    fn denying_some(&self) -> Vec<Cell> {
        let everything = statement("Allow", &everybody(), &["s3:*"], &whole_bucket());
        let arn_of = |person: &Person| format!("arn:aws:iam::{}:coreweave/{}", person.org, person.user);
        let nothing = statement("Deny", &everybody(), &["s3:*"], &whole_bucket());
        let but_owner = inverted(nothing.clone(), "Principal", json!({"AWS": arn_of(self.owner)}));
        let but_owner = [everything.clone(), but_owner];
        let member = json!({"AWS": arn_of(self.member)});
        let to_member = [everything.clone(), statement("Deny", &member, &["s3:*"], &whole_bucket())];
        let needed: Vec<String> = self.needs.iter().map(|need| action(need.action)).collect();
        let but_needed = inverted(nothing, "Action", json!(needed));
        let but_needed = [everything.clone(), but_needed];
        let mut cells = vec![
            self.cell("denied to all but the owner", Some(self.owner), &but_owner, true),
            self.denied("denied to all but the owner", Some(self.member), &but_owner),
            self.denied("denied to all but the owner", Some(&STRANGER), &but_owner),
            self.denied("denied to all but the owner", None, &but_owner),
            self.cell("denied to the member", Some(self.owner), &to_member, true),
            self.denied("denied to the member", Some(self.member), &to_member),
            self.cell("denied to the member", Some(&STRANGER), &to_member, true),
        ];
        for sender in self.senders() {
            cells.push(self.cell("all else denied", sender, &but_needed, true));
        }
        cells
    }

    fn under_conditions(&self) -> Vec<Cell> {
        let of_address = |effect, operator: &str, block: &str| {
            let mut statement = statement(effect, &everybody(), &["s3:*"], &whole_bucket());
            statement["Condition"] = json!({operator: {"aws:SourceIp": block}});
            statement
        };
        let everything = statement("Allow", &everybody(), &["s3:*"], &whole_bucket());
        let mut cells = Vec::new();
        for sender in self.senders() {
            let here = [of_address("Allow", "IpAddress", "127.0.0.0/8")];
            cells.push(self.cell("allowed from here", sender, &here, true));
            let elsewhere = [of_address("Allow", "IpAddress", "10.0.0.0/8")];
            cells.push(self.cell("allowed from elsewhere", sender, &elsewhere, false));
            let nowhere = [everything.clone(), of_address("Deny", "NotIpAddress", "10.0.0.0/8")];
            cells.push(self.denied("denied from here", sender, &nowhere));
        }
        cells
    }
}

/// Policies of the sender's organisation, and of the bucket's where that is another one. The bucket's own policy lets
/// everybody in.
impl Focus {
    fn of_organisations(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for sender in self.senders() {
            if let Some(person) = sender {
                cells.extend(self.of_senders_org(person));
            }
            let is_member = sender.is_some_and(|person| person.org == self.owner.org);
            if !is_member && !self.is_without_bucket() {
                cells.extend(self.of_owners_org(sender));
            }
            let strictest = of_org("Deny", &["s3:*"], Some(everybody()));
            cells.push(self.under("others denied everything", sender, "others", vec![strictest], true));
        }
        if !self.is_without_bucket() {
            let org_policies = vec![(STRANGER.org, vec![of_org("Allow", &["s3:*"], None)])];
            let name = "allowed by the organisation alone".to_owned();
            let (sender, twin_policy) = (Some(&STRANGER), None);
            cells.push(Cell { name, sender, policy: None, twin_policy, org_policies, is_served: false });
        }
        cells
    }

    /// `keeps`: what would be served without these policies is.
    fn under(
        &self,
        name: &str,
        sender: Sender,
        org: &'static str,
        policies: Vec<Value>,
        keeps: bool,
    ) -> Cell {
        let everything = statement("Allow", &everybody(), &["s3:*"], &whole_bucket());
        let cell = self.cell(name, sender, &[everything], true);
        let would_be = if self.is_without_bucket() { sender.is_some() } else { cell.is_served };
        Cell { org_policies: vec![(org, policies)], is_served: keeps && would_be, ..cell }
    }

    fn of_senders_org(&self, sender: &'static Person) -> Vec<Cell> {
        let under = |name: &str, policies, keeps| self.under(name, Some(sender), sender.org, policies, keeps);
        let wanted = || self.all_needs.iter().filter(|need| !need.is_only_denied);
        let names: Vec<String> = wanted().map(|need| action(need.action)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let everything = of_org("Allow", &["s3:*"], None);
        let exactly = of_org("Allow", &names, None);
        let each = names.iter().map(|name| of_org("Allow", &[name], None)).collect();
        let nothing = of_org("Allow", &["s3:PutAccelerateConfiguration"], None);
        let to_sender = json!({"AWS": format!("arn:aws:iam:::user/{}", sender.access_key)});
        let mut elsewhere = everything.clone();
        elsewhere["Statement"]["Resource"] = json!("arn:aws:s3:::elsewhere*");
        let mut cells = vec![
            under("organisation allows everything", vec![everything.clone()], true),
            under("organisation allows exactly this", vec![exactly.clone()], true),
            under("organisation allows each of it", each, true),
            under(
                "organisation allows it to the key",
                vec![of_org("Allow", &names, Some(to_sender.clone()))],
                true,
            ),
            under(
                "organisation allows it to others",
                vec![of_org("Allow", &names, Some(json!({"AWS": "others"})))],
                false,
            ),
            under("organisation allows another thing", vec![nothing.clone()], false),
            under("organisation allows it elsewhere", vec![elsewhere], false),
            under("organisation allows it in one of two", vec![nothing, exactly], true),
            under(
                "organisation denies it to the key",
                vec![of_org("Deny", &["s3:*"], Some(to_sender)), everything.clone()],
                false,
            ),
        ];
        for need in wanted() {
            let others = of_org("Allow", &all_actions_but(need), None);
            cells.push(under(&format!("organisation allows all but {}", need.action), vec![others], false));
        }
        for need in self.all_needs {
            for denied in [need.action, need.finest] {
                let denial = of_org("Deny", &[&action(denied)], None);
                cells.push(under(
                    &format!("organisation denies {denied}"),
                    vec![everything.clone(), denial],
                    false,
                ));
            }
        }
        cells
    }

    fn of_owners_org(&self, sender: Sender) -> Vec<Cell> {
        let under = |name: &str, policies, keeps| self.under(name, sender, self.owner.org, policies, keeps);
        let nothing = of_org("Allow", &["s3:PutAccelerateConfiguration"], None);
        let mut cells = vec![
            // What names nobody is about its own people.
            under("owners denied everything", vec![of_org("Deny", &["s3:*"], None)], true),
            under("owners allowed another thing", vec![nothing], true),
        ];
        for need in &self.needs {
            let denial = of_org("Deny", &[&action(need.finest)], Some(everybody()));
            let everything = of_org("Allow", &["s3:*"], Some(everybody()));
            let name = format!("owners deny {} to everybody", need.finest);
            cells.push(under(&name, vec![everything, denial], false));
        }
        cells
    }
}

/// A policy of an organisation. Without a principal it is about everybody there.
fn of_org(effect: &str, actions: &[&str], principal: Option<Value>) -> Value {
    let mut statement = json!({"Effect": effect, "Action": actions, "Resource": "*"});
    if let Some(principal) = principal {
        statement["Principal"] = principal;
    }
    json!({"Version": "2012-10-17", "Statement": statement})
}

/// Every action but those that allow what is needed: its finest name and the coarser ones that mean it too.
fn all_actions_but(need: &Need) -> Vec<&'static str> {
    let mut allowing = Vec::new();
    let mut next = Action::ALL.iter().copied().find(|known| known.name() == action(need.finest));
    while let Some(name) = next {
        allowing.push(name);
        next = name.coarse();
    }
    Action::ALL.iter().filter(|other| !allowing.contains(other)).map(|other| other.name()).collect()
}

fn everybody() -> Value {
    json!("*")
}

fn statement(effect: &str, principal: &Value, actions: &[&str], resources: &[String]) -> Value {
    json!({"Effect": effect, "Principal": principal, "Action": actions, "Resource": resources})
}

/// The same about everything but what is named.
fn inverted(mut statement: Value, element: &str, value: Value) -> Value {
    let fields = statement.as_object_mut().expect("an object");
    fields.remove(element);
    fields.insert(format!("Not{element}"), value);
    statement
}

fn action(name: &str) -> String {
    format!("s3:{name}")
}

fn arn(path: &str) -> String {
    format!("arn:aws:s3:::{BUCKET}{path}")
}

fn whole_bucket() -> Vec<String> {
    vec![arn(""), arn("/*")]
}

fn resource_of(need: &Need) -> String {
    arn(&key_of(need.of).map_or(String::new(), |key| format!("/{key}")))
}
