//! Requests that policies might judge by one thing while the operation does another.

use std::slice;

use serde_json::{Value, json};

use super::fixture::content_md5;
use super::node::{Ask, DOMAIN, HOST, Node, OWNER, Reply, SOURCE_OWNER, STRANGER};

const BUCKET: &str = "some-bucket";
const SOURCE: &str = "some-source";

/// Two organisations' buckets, and objects in both.
fn node() -> Node {
    let mut node = Node::start();
    node.create_bucket(&OWNER, BUCKET);
    node.create_bucket(&SOURCE_OWNER, SOURCE);
    for key in ["home/a", "secret/a"] {
        node.done(Some(&OWNER), &put(BUCKET, key));
        node.done(Some(&SOURCE_OWNER), &put(SOURCE, key));
    }
    node
}

fn put(bucket: &str, key: &str) -> Ask {
    Ask::new("PUT", format!("/{bucket}/{key}")).body("some bytes")
}

fn get(path: &str, query: &str) -> Ask {
    Ask::new("GET", format!("/{BUCKET}{path}")).query(query)
}

fn copy_from(source: &str, key: &str) -> Ask {
    Ask::new("PUT", format!("/{BUCKET}/{key}")).header("x-amz-copy-source", source)
}

fn statement(effect: &str, actions: &[&str], path: &str) -> Value {
    let resource = format!("arn:aws:s3:::{BUCKET}{path}");
    json!({"Effect": effect, "Principal": "*", "Action": actions, "Resource": resource})
}

fn on_condition(mut statement: Value, operator: &str, key: &str, value: &str) -> Value {
    statement["Condition"][operator][key] = json!(value);
    statement
}

fn everything() -> Value {
    let resources = ["", "/*"].map(|path| format!("arn:aws:s3:::{BUCKET}{path}"));
    json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resources})
}

impl Node {
    fn apply(&mut self, statements: &[Value]) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        self.set_policy(&OWNER, BUCKET, &policy);
    }

    fn open_source(&mut self, actions: &[&str]) {
        let resources = ["", "/*"].map(|path| format!("arn:aws:s3:::{SOURCE}{path}"));
        let statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resources});
        self.set_policy(&SOURCE_OWNER, SOURCE, &json!({"Statement": statement}).to_string());
    }

    fn as_stranger(&mut self, ask: &Ask) -> Reply {
        self.ask(Some(&STRANGER), ask)
    }

    fn keep_versions(&mut self) {
        let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        self.done(Some(&OWNER), &Ask::new("PUT", format!("/{BUCKET}")).query("versioning").body(body));
    }
}

/// Asserts the status and, for refusals, the code.
#[track_caller]
fn assert_answer(reply: &Reply, status: u16) {
    assert!(reply.status == status && (status != 403 || reply.is_refusal()), "not {status}: {reply}");
}

#[test]
fn a_signature_for_one_host_is_none_for_another() {
    let mut node = node();
    node.create_bucket(&OWNER, "private");
    node.done(Some(&OWNER), &put("private", &format!("{BUCKET}/home/a")));
    // The signature is for the object `home/a` of the one bucket. Whoever has it aims it at the other.
    let ask = get("/home/a", "");
    let elsewhere = ask.clone().authority(&format!("http://private.{DOMAIN}"));
    assert_answer(&node.ask(Some(&OWNER), &elsewhere), 400);
    assert_answer(&node.ask(Some(&OWNER), &ask.clone().authority(&format!("http://{HOST}"))), 200);
    assert_answer(&node.ask(Some(&OWNER), &ask), 200);
}

#[test]
fn the_version_in_the_query_of_a_write_is_nothing_to_policies() {
    let mut node = node();
    node.keep_versions();
    let old = node.done(Some(&OWNER), &put(BUCKET, "home/a"));
    let old = format!("versionId={}", old.header("x-amz-version-id").expect("a version"));
    node.done(Some(&OWNER), &put(BUCKET, "home/a").header("x-amz-tagging", "locked=yes"));
    let deny = statement("Deny", &["s3:PutObject"], "/*");
    let of_locked = on_condition(deny.clone(), "StringEquals", "s3:ExistingObjectTag/locked", "yes");
    node.apply(&[everything(), of_locked]);
    assert_answer(&node.ask(Some(&OWNER), &put(BUCKET, "home/a")), 403);
    assert_answer(&node.ask(Some(&OWNER), &put(BUCKET, "home/a").query(&old)), 403);
    node.apply(&[everything(), on_condition(deny, "Null", "s3:VersionId", "true")]);
    assert_answer(&node.ask(Some(&OWNER), &put(BUCKET, "home/a").query(&old)), 403);
}

#[test]
fn of_two_versions_in_a_query_the_first_is_judged_and_served() {
    let mut node = node();
    node.keep_versions();
    let ids = ["public", "secret"].map(|class| {
        let tagged = put(BUCKET, "home/a").header("x-amz-tagging", format!("class={class}"));
        node.done(Some(&OWNER), &tagged).header("x-amz-version-id").expect("a version").to_owned()
    });
    let allow = statement("Allow", &["s3:GetObject"], "/*");
    node.apply(&[on_condition(allow, "StringEquals", "s3:ExistingObjectTag/class", "public")]);
    let [public, secret] = &ids;
    let both = |first, second| get("/home/a", &format!("versionId={first}&versionId={second}"));
    assert_answer(&node.as_stranger(&both(secret, public)), 403);
    let served = node.as_stranger(&both(public, secret));
    assert_eq!(served.header("x-amz-version-id"), Some(public.as_str()));
    assert_answer(&node.as_stranger(&get("/home/a", &format!("versionId={secret}"))), 403);
    assert_answer(&node.as_stranger(&get("/home/a", "")), 403);
    // The empty name is none of a version, and not none at all.
    assert_answer(&node.as_stranger(&get("/home/a", "versionId=")), 403);
}

#[test]
fn tags_that_nobody_keeps_satisfy_no_condition() {
    let mut node = node();
    node.open_source(&["s3:GetObject"]);
    let allow = statement("Allow", &["s3:PutObject"], "/*");
    let of_public = on_condition(allow, "StringEquals", "s3:RequestObjectTag/class", "public");
    node.apply(&[of_public, statement("Allow", &["s3:DeleteObject"], "/*")]);
    let tagged = |ask: Ask| ask.header("x-amz-tagging", "class=public");
    assert_answer(&node.as_stranger(&put(BUCKET, "new")), 403);
    assert_answer(&node.as_stranger(&tagged(put(BUCKET, "new"))), 200);
    let copy = || copy_from(&format!("{SOURCE}/home/a"), "new");
    assert_answer(&node.as_stranger(&tagged(copy())), 403);
    let copied = tagged(copy()).header("x-amz-tagging-directive", "COPY");
    assert_answer(&node.as_stranger(&copied), 403);
    let replaced = tagged(copy()).header("x-amz-tagging-directive", "REPLACE");
    assert_answer(&node.as_stranger(&replaced), 200);
    let rename = Ask::new("PUT", format!("/{BUCKET}/new")).header("x-amz-rename-source", "home/a");
    assert_answer(&node.as_stranger(&tagged(rename)), 403);
    let created = node.as_stranger(&tagged(Ask::new("POST", format!("/{BUCKET}/new")).query("uploads")));
    assert_answer(&created, 200);
    let part = put(BUCKET, "new").query(format!("partNumber=1&uploadId={}", created.element("UploadId")));
    assert_answer(&node.as_stranger(&tagged(part)), 403);
}

#[test]
fn a_copy_brings_no_tags_to_who_may_not_read_them() {
    let mut node = node();
    node.done(Some(&SOURCE_OWNER), &put(SOURCE, "home/a").header("x-amz-tagging", "known=to-us"));
    let copy = copy_from(&format!("{SOURCE}/home/a"), "copy");
    node.open_source(&["s3:GetObject"]);
    assert_answer(&node.ask(Some(&OWNER), &copy), 403);
    let replaced = copy.clone().header("x-amz-tagging-directive", "REPLACE");
    assert_answer(&node.ask(Some(&OWNER), &replaced), 200);
    // What has no tags is copied with nothing but its bytes.
    assert_answer(&node.ask(Some(&OWNER), &copy_from(&format!("{SOURCE}/secret/a"), "copy")), 200);
    node.open_source(&["s3:GetObject", "s3:GetObjectTagging"]);
    assert_answer(&node.ask(Some(&OWNER), &copy), 200);
    assert_eq!(node.ask(Some(&OWNER), &get("/copy", "tagging")).element("Key"), "known");
    node.apply(&[statement("Deny", &["s3:PutObjectTagging"], "/*")]);
    assert_answer(&node.ask(Some(&OWNER), &copy), 403);
}

#[test]
fn the_number_of_tags_is_for_who_may_read_them() {
    let mut node = node();
    node.done(Some(&OWNER), &put(BUCKET, "home/a").header("x-amz-tagging", "a=1&b=2"));
    let count = |reply: &Reply| {
        assert_answer(reply, 200);
        reply.header("x-amz-tagging-count").map(str::to_owned)
    };
    let allow = statement("Allow", &["s3:GetObject"], "/*");
    node.apply(slice::from_ref(&allow));
    let head = Ask::new("HEAD", format!("/{BUCKET}/home/a"));
    for ask in [get("/home/a", ""), head] {
        assert_eq!(count(&node.ask(Some(&OWNER), &ask)).as_deref(), Some("2"));
        assert_eq!(count(&node.as_stranger(&ask)), None);
        assert_eq!(count(&node.ask(None, &ask)), None);
    }
    node.apply(&[allow, statement("Allow", &["s3:GetObjectTagging"], "/*")]);
    assert_eq!(count(&node.as_stranger(&get("/home/a", ""))).as_deref(), Some("2"));
}

#[test]
fn a_prefix_counts_where_it_limits_what_is_listed() {
    let mut node = node();
    let allow = statement("Allow", &["s3:ListBucket"], "");
    node.apply(&[on_condition(allow, "StringEquals", "s3:prefix", "home/")]);
    for query in ["prefix=home/", "list-type=2&prefix=home/", "versions&prefix=home/"] {
        let listed = node.as_stranger(&get("", query));
        assert_answer(&listed, 200);
        assert!(listed.body.contains("home/a") && !listed.body.contains("secret"), "{listed}");
    }
    let beyond =
        ["", "list-type=2", "versions", "prefix=", "prefix=secret/", "Prefix=home/", "acl&prefix=home/"];
    for query in beyond {
        assert_answer(&node.as_stranger(&get("", query)), 403);
    }
    assert_answer(&node.as_stranger(&Ask::new("HEAD", format!("/{BUCKET}")).query("prefix=home/")), 403);
    // Of two the first counts, for the policy and for the listing.
    assert_answer(&node.as_stranger(&get("", "prefix=secret/&prefix=home/")), 403);
    for query in ["prefix=home/&prefix=secret/", "list-type=2&prefix=home/&prefix=secret/"] {
        let listed = node.as_stranger(&get("", query));
        assert!(listed.body.contains("home/a") && !listed.body.contains("secret/a"), "{listed}");
    }
}

#[test]
fn no_marker_leads_out_of_the_prefix() {
    let mut node = node();
    let allow = statement("Allow", &["s3:ListBucket", "s3:ListBucketMultipartUploads"], "");
    node.apply(&[on_condition(allow, "StringEquals", "s3:prefix", "home/")]);
    node.done(Some(&OWNER), &Ask::new("POST", format!("/{BUCKET}/secret/b")).query("uploads"));
    // Tokens of this node's own form: "pa", "pz", "kz", "s".
    let tokens = ["cGE", "cHo", "a3o", "cw"].map(|token| format!("list-type=2&continuation-token={token}"));
    let markers = ["marker=a", "marker=z", "versions&key-marker=a", "versions&key-marker=secret/a"];
    let others = ["list-type=2&start-after=a", "uploads&key-marker=a", "uploads&key-marker=secret/"];
    for query in tokens.iter().map(String::as_str).chain(markers).chain(others) {
        for delimiter in ["", "&delimiter=/", "&delimiter=a"] {
            let listed = node.as_stranger(&get("", &format!("{query}&prefix=home/{delimiter}")));
            assert_answer(&listed, 200);
            let told = ["<Key>secret", "<Prefix>secret"].iter().any(|told| listed.body.contains(told));
            assert!(!told, "{query}{delimiter}: {listed}");
        }
    }
}

#[test]
fn a_source_is_one_however_it_is_written() {
    let mut node = node();
    node.open_source(&["s3:GetObject"]);
    let deny = statement("Deny", &["s3:PutObject"], "/*");
    let of_secret = on_condition(deny, "StringLike", "s3:x-amz-copy-source", "some-source/secret/*");
    node.apply(&[everything(), of_secret]);
    let forms = [
        "some-source/secret/a",
        "/some-source/secret/a",
        "some-source%2Fsecret%2Fa",
        "%73ome-source/%73ecret/a",
        "/some-source/secret/a?versionId=null",
    ];
    for form in forms {
        assert_answer(&node.as_stranger(&copy_from(form, "copy")), 403);
    }
    for form in ["some-source/home/a", "/some-source/h%6Fme/a"] {
        assert_answer(&node.as_stranger(&copy_from(form, "copy")), 200);
    }
}

#[test]
fn a_policy_that_cannot_be_read_lets_nobody_in_but_who_replaces_it() {
    let mut node = node();
    node.apply(&[statement("Allow", &["s3:GetObject"], "/home/*")]);
    node.spoil("arn:aws:s3:::some-bucket");
    for sender in [Some(&OWNER), Some(&STRANGER), None] {
        assert_answer(&node.ask(sender, &get("/home/a", "")), 500);
    }
    node.apply(&[statement("Allow", &["s3:GetObject"], "/home/*")]);
    assert_answer(&node.as_stranger(&get("/home/a", "")), 200);
}

#[test]
fn who_may_not_list_is_not_told_what_is_missing_or_was_deleted() {
    let mut node = node();
    node.keep_versions();
    node.done(Some(&OWNER), &Ask::new("DELETE", format!("/{BUCKET}/secret/a")));
    let actions = ["GetObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"];
    let actions = actions.map(|action| format!("s3:{action}"));
    let allow = statement("Allow", &actions.each_ref().map(String::as_str), "/*");
    node.apply(slice::from_ref(&allow));
    let tags = "<Tagging><TagSet/></Tagging>";
    let asks = |key: &str| {
        let ask = |method, query: &str| Ask::new(method, format!("/{BUCKET}/{key}")).query(query);
        let attributes = ask("GET", "attributes").header("x-amz-object-attributes", "ETag");
        let writes = [ask("PUT", "tagging").body(tags), ask("DELETE", "tagging")];
        let reads = [ask("GET", ""), ask("HEAD", ""), ask("GET", "acl"), ask("GET", "tagging")];
        let unknown = ask("GET", "versionId=0000000000000000");
        reads.into_iter().chain(writes).chain([attributes, unknown])
    };
    for ask in asks("never/there").chain(asks("secret/a")) {
        let reply = node.as_stranger(&ask);
        assert_answer(&reply, 403);
        let told = ["x-amz-delete-marker", "x-amz-version-id", "last-modified"];
        assert!(told.iter().all(|name| reply.header(name).is_none()), "{}", reply.head);
    }
    node.apply(&[allow, statement("Allow", &["s3:ListBucket"], "")]);
    for ask in asks("never/there") {
        assert_answer(&node.as_stranger(&ask), 404);
    }
    assert_eq!(node.as_stranger(&get("/secret/a", "")).header("x-amz-delete-marker"), Some("true"));
}

#[test]
fn uploads_are_found_by_their_whole_name_alone() {
    let mut node = node();
    let created = node.done(Some(&OWNER), &Ask::new("POST", format!("/{BUCKET}/home/new")).query("uploads"));
    let id = created.element("UploadId").to_owned();
    node.apply(&[statement("Allow", &["s3:*"], "/*")]);
    let part = |id: &str| put(BUCKET, "home/new").query(format!("partNumber=1&uploadId={id}"));
    let guessed = format!("{}{:016x}", &id[..16], 1);
    for id in [guessed.as_str(), &id[..16], &id.to_uppercase(), ""] {
        let reply = node.as_stranger(&part(id));
        assert_eq!((reply.status, reply.element("Code")), (404, "NoSuchUpload"), "{id}");
        assert_answer(&node.as_stranger(&get("/home/new", &format!("uploadId={id}"))), 404);
    }
    // Of another key it is none either.
    let elsewhere = put(BUCKET, "home/a").query(format!("partNumber=1&uploadId={id}"));
    assert_answer(&node.as_stranger(&elsewhere), 404);
    assert_answer(&node.as_stranger(&part(&id)), 200);
}

#[test]
fn a_write_can_be_made_to_be_conditional() {
    let mut node = node();
    let deny = statement("Deny", &["s3:PutObject"], "/*");
    let deny = on_condition(deny, "Null", "s3:if-none-match", "true");
    node.apply(&[on_condition(deny, "Bool", "s3:ObjectCreationOperation", "true")]);
    let owner = Some(&OWNER);
    assert_answer(&node.ask(owner, &put(BUCKET, "new")), 403);
    assert_answer(&node.ask(owner, &put(BUCKET, "new").header("if-none-match", "*")), 200);
    assert_answer(&node.ask(owner, &copy_from(&format!("{BUCKET}/home/a"), "copy")), 403);
    let created = node.done(owner, &Ask::new("POST", format!("/{BUCKET}/parts")).query("uploads"));
    let upload = format!("uploadId={}", created.element("UploadId"));
    let part = put(BUCKET, "parts").query(format!("partNumber=1&{upload}"));
    let etag = node.done(owner, &part).header("etag").expect("an ETag").to_owned();
    let part = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
    let list = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
    let complete = Ask::new("POST", format!("/{BUCKET}/parts")).query(&upload).body(list);
    assert_answer(&node.ask(owner, &complete), 403);
    // What tells a part is no part of the question here.
    assert_answer(&node.ask(owner, &complete.clone().query(format!("{upload}&partNumber=1"))), 403);
    assert_answer(&node.ask(owner, &complete.header("if-none-match", "*")), 200);
}

#[test]
fn keys_are_judged_as_they_are_stored() {
    let mut node = node();
    node.apply(&[statement("Allow", &["s3:PutObject", "s3:GetObject"], "/home/*")]);
    let served = ["/home/a", "/home%2Fa", "/h%6fme/a", "/home/../secret/a"];
    for path in served {
        let reply = node.ask(None, &Ask::new("PUT", format!("/{BUCKET}{path}")).body("new"));
        assert_answer(&reply, 200);
    }
    // Dots and slashes are letters of a key: nothing came to `secret/a`.
    assert_eq!(node.ask(Some(&OWNER), &get("/secret/a", "")).body, "some bytes");
    let refused = ["/secret/a", "//home/a", "/%2Fhome/a", "/HOME/a", "/%68ome", "/x/home/a"];
    for path in refused {
        assert_answer(&node.ask(None, &get(path, "")), 403);
        assert_answer(&node.ask(None, &Ask::new("PUT", format!("/{BUCKET}{path}")).body("new")), 403);
    }
    // The same bucket by its encoded name.
    assert_answer(&node.ask(None, &Ask::new("GET", "/%73ome-bucket/secret/a")), 403);
    assert_answer(&node.ask(None, &Ask::new("GET", "/%73ome-bucket/home/a")), 200);
}

#[test]
fn each_key_of_a_deletion_is_judged_alone() {
    let mut node = node();
    node.keep_versions();
    let version = node.done(Some(&OWNER), &put(BUCKET, "home/v"));
    let version = version.header("x-amz-version-id").expect("a version").to_owned();
    node.done(Some(&OWNER), &put(BUCKET, "home/locked").header("x-amz-tagging", "locked=yes"));
    let deny = statement("Deny", &["s3:DeleteObject"], "/*");
    let of_locked = on_condition(deny, "StringEquals", "s3:ExistingObjectTag/locked", "yes");
    node.apply(&[statement("Allow", &["s3:DeleteObject"], "/home/*"), of_locked]);
    let object = |key: &str, version: &str| format!("<Object><Key>{key}</Key>{version}</Object>");
    let named = format!("<VersionId>{version}</VersionId>");
    let objects = [
        object("home/a", ""),
        object("secret/a", ""),
        object("home/v", &named),
        object("home/v", ""),
        object("home/never/there", ""),
        object("home/locked", ""),
    ];
    let body = format!("<Delete>{}</Delete>", objects.concat());
    let ask = |body: &str| {
        let ask = Ask::new("POST", format!("/{BUCKET}")).query("delete");
        ask.header("content-md5", content_md5(body)).body(body)
    };
    let reply = node.as_stranger(&ask(&body));
    assert_answer(&reply, 200);
    let told = |name: &str| -> Vec<String> {
        let open = format!("<{name}><Key>");
        let keys = reply.body.split(&open).skip(1);
        keys.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(told("Deleted"), ["home/a", "home/v", "home/never/there"]);
    assert_eq!(told("Error"), ["secret/a", "home/v", "home/locked"]);
    assert_eq!(reply.body.matches("<Code>AccessDenied</Code>").count(), 3);
    let owner = Some(&OWNER);
    assert_answer(&node.ask(owner, &get("/home/a", "")), 404);
    assert_answer(&node.ask(owner, &get("/home/locked", "")), 200);
    assert_answer(&node.ask(owner, &get("/home/v", &format!("versionId={version}"))), 200);
    // Quiet is no way to hide a refusal.
    let quiet = format!("<Delete><Quiet>true</Quiet>{}</Delete>", object("secret/a", ""));
    assert_eq!(node.as_stranger(&ask(&quiet)).element("Code"), "AccessDenied");
}

#[test]
fn what_the_node_refuses_by_name_is_refused_to_strangers_first() {
    let mut node = node();
    node.apply(&[everything()]);
    for query in ["cors", "replication", "website", "publicAccessBlock"] {
        assert_answer(&node.ask(Some(&OWNER), &get("", query)), 404);
        assert_answer(&node.as_stranger(&get("", query)), 403);
        assert_answer(&node.ask(None, &get("", query)), 403);
    }
    for query in ["response-content-type=text/html", "versionId=null&response-expires=0"] {
        assert_answer(&node.ask(None, &get("/home/a", query)), 400);
        assert_answer(&node.as_stranger(&get("/home/a", query)), 200);
    }
}
