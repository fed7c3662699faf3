//! A node on a simulated disk that is spoken to over loopback connections, and the people who speak to it.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Bound;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringstone_io::net::Listener;
use ringstone_io::runtime::{Clock, sleep, spawn};

use crate::auth::oracle::{self, MAY_24, REGION, SECRET_KEY, Unsigned};
use crate::auth::{Authenticator, Credential, KeyRing};
use crate::http::connection::serve;
use crate::http::context::ConnectionContext;
use crate::http::loopback::{Client, patient};
use crate::index::engine::{Batch, Entry, KeyRange, ScanLimits, Write};
use crate::metrics::Registry;
use crate::policy::{Document, Layer, OrgPolicies};
use crate::s3::address::Addressing;
use crate::s3::error::ErrorCode;
use crate::s3::lifecycle::RulePrefix;
use crate::s3::operation::Context;
use crate::s3::ops;
use crate::s3::pipeline::S3Service;
use crate::s3::policies::Policies;
use crate::s3::request_id::RequestIds;
use crate::store::Store;
use crate::store::test_node::Node as StoreNode;

pub(super) const HOST: &str = "node.example:9000";
pub(super) const DOMAIN: &str = "s3.example";

/// Somebody with an access key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) org: &'static str,
    pub(super) user: &'static str,
    pub(super) access_key: &'static str,
}

pub(super) const OWNER: Person = Person { org: "owners", user: "olga", access_key: "AKOLGA" };
pub(super) const MEMBER: Person = Person { org: "owners", user: "mike", access_key: "AKMIKE" };
pub(super) const STRANGER: Person = Person { org: "strangers", user: "sam", access_key: "AKSAM" };
pub(super) const COLLEAGUE: Person = Person { org: "strangers", user: "carl", access_key: "AKCARL" };
/// Own the bucket that copies are made from.
pub(super) const SOURCE_OWNER: Person = Person { org: "sources", user: "sara", access_key: "AKSARA" };
pub(super) const SOURCE_MEMBER: Person = Person { org: "sources", user: "simon", access_key: "AKSIMON" };

const PEOPLE: [&Person; 6] = [&OWNER, &MEMBER, &STRANGER, &COLLEAGUE, &SOURCE_OWNER, &SOURCE_MEMBER];

/// `None`: who does not sign.
pub(super) type Sender = Option<&'static Person>;

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    /// Encoded, as the query.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// Before the path on the wire, and not signed: the absolute form.
    authority: String,
    is_forged: bool,
}

impl Ask {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        let (path, query, authority) = (path.into(), String::new(), String::new());
        Self { method, path, query, headers: Vec::new(), body: Vec::new(), authority, is_forged: false }
    }

    pub(super) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn authority(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    pub(super) fn forged(mut self) -> Self {
        self.is_forged = true;
        self
    }

    fn bytes(&self, sender: Sender) -> Vec<u8> {
        [self.head(sender).as_bytes(), b"\r\n", &self.body].concat()
    }

    /// The head with everything but its end.
    fn head(&self, sender: Sender) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let mut head =
            format!("{} {}{}{mark}{} HTTP/1.1\r\n", self.method, self.authority, self.path, self.query);
        let headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let fields = if let Some(person) = sender {
            let mut unsigned = Unsigned::new(self.method, &self.path);
            unsigned.query.clone_from(&self.query);
            unsigned.headers = headers;
            oracle::sign_header_as(person.access_key, &unsigned, MAY_24).headers
        } else {
            [("host".to_owned(), HOST.to_owned())].into_iter().chain(headers).collect()
        };
        for (name, value) in fields {
            let value = if self.is_forged && name == "authorization" { flipped(value) } else { value };
            write!(head, "{name}: {value}\r\n").expect("a string takes everything");
        }
        head + &format!("content-length: {}\r\n", self.body.len())
    }
}

/// Another signature of the same form.
fn flipped(mut authorization: String) -> String {
    let last = authorization.pop();
    authorization.push(if last == Some('0') { '1' } else { '0' });
    authorization
}

/// A response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    /// The text of the first element of this name.
    pub(super) fn element(&self, name: &str) -> &str {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let from = self.body.find(&open).map(|at| &self.body[at + open.len()..]).unwrap_or_default();
        from.find(&close).map(|end| &from[..end]).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// 403 `AccessDenied`. A response to HEAD cannot name its code.
    pub(super) fn is_refusal(&self) -> bool {
        self.status == 403 && (self.body.is_empty() || self.element("Code") == "AccessDenied")
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.replace('\n', " ");
        write!(formatter, "{} {}", self.status, &body[..body.len().min(300)])
    }
}

/// A request under way.
pub(super) struct Aside {
    stream: TcpStream,
}

impl Aside {
    pub(super) fn is_answered(&self) -> bool {
        match self.stream.peek(&mut [0]) {
            Ok(bytes) => bytes > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Everything in the index.
pub(super) type Dump = Vec<(Vec<u8>, Entry)>;

/// A running node and a connection to it.
pub(super) struct Node {
    store: StoreNode,
    org_policies: OrgPolicies,
    address: SocketAddr,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    client: Client,
    numbers: usize,
}

impl Node {
    /// A number that nobody else gets.
    pub(super) fn next_number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn start() -> Self {
        let mut store = StoreNode::new(1, 64 * 1024 * 1024);
        store.clock = Clock::manual(MAY_24 * 1000);
        let is_ending = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let org_policies = OrgPolicies::default();
        let (node, ending, policies) = (store.clone(), is_ending.clone(), org_policies.clone());
        let thread = thread::spawn(move || {
            node.run(async |store, _| {
                let context = context(store.clone(), node.clock.clone(), policies);
                serve_until(context, sender, ending).await;
            });
        });
        let address = receiver.recv().expect("the node listens");
        let client = Client::connect(address);
        Self { store, org_policies, address, is_ending, thread: Some(thread), client, numbers: 0 }
    }

    /// Sends a request whole and reads the answer.
    pub(super) fn ask(&mut self, sender: Sender, ask: &Ask) -> Reply {
        self.client.send(ask.bytes(sender));
        self.answer(ask.method)
    }

    /// Sends a request over a connection of its own and does not wait.
    pub(super) fn ask_aside(&self, sender: Sender, ask: &Ask) -> Aside {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.write_all(&ask.bytes(sender)).expect("the node takes it");
        stream.set_nonblocking(true).expect("a socket");
        Aside { stream }
    }

    /// Sends the head alone and waits: `None` if the node invites the body.
    pub(super) fn ask_to_continue(&mut self, sender: Sender, ask: &Ask) -> Option<Reply> {
        self.client.send(format!("{}expect: 100-continue\r\n\r\n", ask.head(sender)));
        let reply = self.answer(ask.method);
        // Either way the body is still to come, or never will.
        self.client = Client::connect(self.address);
        (reply.status != 100).then_some(reply)
    }

    fn answer(&mut self, method: &str) -> Reply {
        let head = self.client.head();
        let status: u16 = head[9..12].parse().expect("a status");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length =
            length.filter(|_| method != "HEAD").map_or(0, |length| length.parse().expect("a length"));
        let body = String::from_utf8_lossy(&self.client.bytes(length)).into_owned();
        if head.contains("\r\nConnection: close\r\n") {
            self.client = Client::connect(self.address);
        }
        Reply { status, head, body }
    }

    /// Puts the policies of an organisation in force.
    pub(super) fn set_org_policies(&self, org: &str, policies: &[String]) {
        let parse = |policy: &String| {
            Arc::new(Document::parse(policy.as_bytes(), Layer::Organisation).expect("a policy"))
        };
        self.org_policies.set(org, &policies.iter().map(parse).collect::<Vec<_>>());
    }

    /// Overwrites with garbage every entry of the index that holds these bytes.
    pub(super) fn spoil(&self, bytes: &str) {
        let holds = |entry: &Entry| entry.value.windows(bytes.len()).any(|part| part == bytes.as_bytes());
        let keys = self.dump().into_iter().filter(|(_, entry)| holds(entry)).map(|(key, _)| key);
        let writes = keys.map(|key| Write::Put(key, b"garbage".to_vec())).collect();
        self.store.engine.commit(&[Batch { checks: Vec::new(), writes }]).expect("a commit");
    }

    pub(super) fn dump(&self) -> Dump {
        let range = KeyRange { start: Bound::Included(&[]), end: None };
        let limits =
            ScanLimits { entries_max: usize::MAX, bytes_max: usize::MAX, value_bytes_max: usize::MAX };
        self.store.engine.scan(range, limits).expect("readable").entries
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Release);
        // Wakes the accepting; the client's own connection ends with the next one.
        self.client = Client::connect(self.address);
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.expect("a thread").expect("the node ends in order");
            self.store.check_space_map();
        }
    }
}

async fn serve_until(context: Rc<Context>, listening: mpsc::Sender<SocketAddr>, is_ending: Arc<AtomicBool>) {
    let listener = Listener::bind("127.0.0.1:0".parse().expect("an address"), false).expect("a socket");
    listening.send(listener.local_addr()).expect("somebody waits");
    let service = Rc::new(S3Service::new(context, RequestIds::new().expect("randomness"), None));
    let connections = ConnectionContext::new(patient());
    loop {
        let (stream, peer) = listener.accept().await.expect("a connection");
        if is_ending.load(Ordering::Acquire) {
            break;
        }
        let (service, connections) = (service.clone(), connections.clone());
        spawn(async move { serve(stream, peer, &*service, &connections).await });
    }
    connections.start_draining();
    while connections.open_connections() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

/// What operations of the node share.
fn context(store: Store, clock: Clock, org_policies: OrgPolicies) -> Rc<Context> {
    let credential = |person: &Person| Credential {
        access_key: person.access_key.to_owned(),
        secret_key: SECRET_KEY.into(),
        user: person.user.to_owned(),
        display_name: person.user.to_owned(),
        org: person.org.to_owned(),
    };
    let keys: Vec<Credential> = PEOPLE.into_iter().map(credential).collect();
    Rc::new(Context {
        store,
        clock,
        authenticator: Authenticator::new(KeyRing::from(keys)),
        org_policies,
        policies: Policies::default(),
        addressing: Addressing { domain: DOMAIN.to_owned(), path_style: true },
        region: REGION.to_owned(),
        require_location_constraint: false,
        lifecycle_rule_prefix: RulePrefix::Taken,
        metrics: Registry::with_error_names(1, &ops::names(), ErrorCode::NAMES).core(0),
    })
}
