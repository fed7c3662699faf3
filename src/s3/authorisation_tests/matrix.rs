//! Every operation of the table in every cell: served or refused as it must be, and what is refused changes nothing.

use std::collections::BTreeSet;

use super::cells::{Cell, Focus};
use super::fixture::Fixture;
use super::node::{Ask, Node, OWNER, Reply, SOURCE_OWNER};
use super::permissions::{Call, Of, TAGGED, calls_of};
use super::recipes::{Recipe, before, kind, recipe};
use crate::policy::Action;
use crate::s3::operation::Operation;
use crate::s3::ops::OPERATIONS;

/// Threads that share the operations.
const THREADS: usize = 2;

#[test]
fn whoever_may_is_served_and_nobody_else() {
    for_each_operation(|node, call, focus, unexpected| {
        let mut trial = Trial::new(call, focus);
        for cell in focus.cells() {
            trial.prepare(node, &cell);
            if let Some(what) = trial.judge(node, &cell) {
                unexpected.push(what);
            }
        }
    });
}

#[test]
fn nobody_is_invited_to_send_the_body_of_what_is_refused() {
    for_each_operation(|node, call, focus, unexpected| {
        let mut trial = Trial::new(call, focus);
        for cell in focus.cells().iter().filter(|cell| !cell.is_served) {
            // Keys in a body can be judged only when it is there, where a policy might allow some.
            if call.operation == "DeleteObjects" && cell.has_policy() {
                continue;
            }
            trial.prepare(node, cell);
            let ask = trial.ask_with_body();
            match cell.under_org_policies(node, |node| node.ask_to_continue(cell.sender, &ask)) {
                Some(reply) if reply.is_refusal() => {}
                Some(reply) => unexpected.push(trial.told(cell, &reply.to_string())),
                None => unexpected.push(trial.told(cell, "invited")),
            }
        }
        trial.prepare(node, &Cell::of_owner(focus));
        match node.ask_to_continue(Some(focus.owner), &trial.ask_with_body().forged()) {
            Some(reply) if reply.status == 403 => {}
            _ => unexpected.push(format!("{}: not refused with a forged signature", call.name())),
        }
    });
}

#[test]
fn the_table_asks_for_what_the_specification_says() {
    for row in OPERATIONS {
        let call = plain(row);
        assert_eq!(row.anonymous, call.is_anonymous, "{}", row.name);
        assert_eq!(
            coarse(row.permissions),
            needed(call, &[Of::Nothing, Of::Bucket, Of::Object]),
            "{}",
            row.name
        );
        assert_eq!(coarse(row.named), needed(call, &[Of::Sibling, Of::Source]), "{}", row.name);
    }
}

fn plain(row: &Operation) -> &'static Call {
    calls_of(row.name).next().unwrap_or_else(|| {
        panic!("{}: write down what the specification says it needs, in permissions.rs", row.name)
    })
}

fn coarse(actions: &[Action]) -> BTreeSet<&'static str> {
    actions.iter().map(|action| action.coarse().unwrap_or(*action).name()).collect()
}

fn needed(call: &Call, of: &[Of]) -> BTreeSet<&'static str> {
    let names = call.needs.iter().filter(|need| of.contains(&need.of)).map(|need| need.action);
    let named =
        |name: &str| Action::ALL.iter().find(|action| action.name().strip_prefix("s3:") == Some(name));
    names.map(|name| named(name).unwrap_or_else(|| panic!("{name} is no action")).name()).collect()
}

/// Runs a test for each call of each operation and each bucket that it needs something of; fails with all that was
/// unexpected.
fn for_each_operation(test: impl Fn(&mut Node, &'static Call, &Focus, &mut Vec<String>) + Sync) {
    let some_of_them = |thread: usize| {
        let mut unexpected = Vec::new();
        for row in OPERATIONS.iter().skip(thread).step_by(THREADS) {
            let mut node = Node::start();
            for call in calls_of(plain(row).operation) {
                for focus in Focus::all_of(call) {
                    test(&mut node, call, &focus, &mut unexpected);
                }
            }
        }
        unexpected
    };
    let unexpected: Vec<String> = std::thread::scope(|scope| {
        let threads = [0; THREADS].iter().enumerate();
        let threads: Vec<_> = threads.map(|(thread, _)| scope.spawn(move || some_of_them(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a test that ended")).collect()
    });
    assert!(
        unexpected.is_empty(),
        "{} cells are not as expected:\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
}

/// One call, tried in one cell after the other.
struct Trial<'a> {
    call: &'static Call,
    focus: &'a Focus,
    made: Option<Made>,
}

/// What it is tried on, until a success has used it up.
struct Made {
    fixture: Fixture,
    has_policy: bool,
    has_twin: bool,
}

impl<'a> Trial<'a> {
    fn new(call: &'static Call, focus: &'a Focus) -> Self {
        Self { call, focus, made: None }
    }

    /// Has buckets, objects and policies ready for a cell.
    fn prepare(&mut self, node: &mut Node, cell: &Cell) {
        let focus = self.focus;
        let used = |made: &mut Made| made.has_policy && !cell.has_policy();
        if self.made.take_if(|made| used(made)).is_some() || self.made.is_none() {
            self.made = Some(Made { fixture: self.make(node), has_policy: false, has_twin: false });
        }
        let Some(made) = &mut self.made else { return };
        let bucket = focus.bucket(&made.fixture).to_owned();
        if let Some(policy) = cell.policy(&bucket) {
            node.set_policy(focus.owner, &bucket, &policy);
            made.has_policy = true;
        }
        let twin = format!("{bucket}-2");
        if let Some(policy) = cell.twin_policy(&twin) {
            if !made.has_twin {
                node.create_bucket(focus.owner, &twin);
            }
            node.set_policy(focus.owner, &twin, &policy);
            made.has_twin = true;
        }
    }

    fn make(&self, node: &mut Node) -> Fixture {
        let fixture = Fixture::make(node, kind(self.call), self.call.variant == TAGGED);
        if let Some(before) = before(self.call).and_then(|operation| recipe(operation, "", &fixture)) {
            node.done(Some(&OWNER), &before.ask);
        }
        if self.call.has_source() {
            // The other bucket is open to everybody.
            let (owner, bucket) = if self.focus.is_source {
                (&OWNER, &fixture.bucket)
            } else {
                (&SOURCE_OWNER, &fixture.source_bucket)
            };
            let statement = r#""Effect":"Allow","Principal":"*","Action":"s3:*""#;
            let resources = format!(r#"["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]"#);
            node.set_policy(
                owner,
                bucket,
                &format!(r#"{{"Statement":{{{statement},"Resource":{resources}}}}}"#),
            );
        }
        fixture
    }

    fn recipe(&self) -> Recipe {
        let Call { operation, variant, .. } = self.call;
        let fixture = &self.made.as_ref().expect("it is prepared").fixture;
        recipe(operation, variant, fixture)
            .unwrap_or_else(|| panic!("{operation}: say how a request for it is made, in recipes.rs"))
    }

    /// The request, with a body in any case.
    fn ask_with_body(&self) -> Ask {
        let ask = self.recipe().ask;
        if ask.body.is_empty() { ask.body("a body that nobody wants") } else { ask }
    }

    /// Sends the request; says what is wrong with the answer or with what came of it.
    fn judge(&mut self, node: &mut Node, cell: &Cell) -> Option<String> {
        let recipe = self.recipe();
        let before = node.dump();
        let reply = cell.under_org_policies(node, |node| node.ask(cell.sender, &recipe.ask));
        let has_changed = node.dump() != before;
        let (status, changes) = if cell.has_policy() {
            (recipe.status, recipe.changes)
        } else {
            (recipe.status_without_policy, recipe.changes_without_policy)
        };
        let is_expected = if cell.is_served {
            reply.status == status && has_changed == changes && !self.is_refused_key(&reply)
        } else {
            !has_changed && (reply.is_refusal() || self.is_refused_key(&reply))
        };
        let told = (!is_expected).then(|| {
            let change = if has_changed { "something changed" } else { "nothing changed" };
            self.told(cell, &format!("{reply}, {change}"))
        });
        if has_changed {
            self.made = None;
        }
        told
    }

    /// A refusal within a success, as only DeleteObjects has them.
    fn is_refused_key(&self, reply: &Reply) -> bool {
        let is_refused = reply.status == 200 && reply.element("Code") == "AccessDenied";
        is_refused && self.call.operation == "DeleteObjects" && !reply.body.contains("<Deleted>")
    }

    fn told(&self, cell: &Cell, what: &str) -> String {
        let place = if self.focus.is_source { " (source)" } else { "" };
        let sender = cell.sender.map_or("nobody", |person| person.user);
        let expected = if cell.is_served { "to be served" } else { "a refusal" };
        format!("{}{place}, {}, {sender}: expected {expected}: {what}", self.call.name(), cell.name)
    }
}
