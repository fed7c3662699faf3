use std::sync::Arc;

use super::*;
use crate::auth::{Authenticator, oracle};
use crate::config::AccessKeyConfig;
use crate::index::engine::{Batch, Engine, Write};
use crate::index::key_encoding;
use crate::server::test_accounts::{memory, with_accounts};

/// An index and a data directory that outlive a node.
struct Place {
    engine: Engine,
    config: Config,
    _directory: tempfile::TempDir,
}

impl Place {
    fn new(configured: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = |name: &&str| AccessKeyConfig {
            access_key: (*name).to_owned(),
            secret_key: Secret::new("configured-secret".to_owned()),
            user: "main".to_owned(),
            display_name: "Main".to_owned(),
            org: "org-main".to_owned(),
        };
        let access_keys = configured.iter().map(key).collect();
        let config = Config { data_dir: directory.path().to_owned(), access_keys, ..Config::default() };
        Self { engine: memory(), config, _directory: directory }
    }

    /// Runs a node as far as access keys are concerned.
    fn run<T>(&self, life: impl FnOnce(Result<&AccessKeys, KeyError>) -> T) -> T {
        with_accounts(&self.engine, |accounts| match AccessKeys::open(&self.config, accounts) {
            Ok(keys) => life(Ok(&keys)),
            Err(error) => life(Err(error)),
        })
    }
}

fn wanted(access_key: &str, org: &str) -> Wanted {
    Wanted {
        access_key: Some(access_key.to_owned()),
        secret_key: Some(Secret::new("imported-secret".to_owned())),
        user: "u".to_owned(),
        display_name: "U".to_owned(),
        org: org.to_owned(),
    }
}

fn in_force(keys: &AccessKeys, access_key: &str) -> bool {
    keys.ring().find(access_key).is_some()
}

fn states(keys: &AccessKeys) -> Vec<(String, KeyState, KeySource)> {
    keys.list(None).into_iter().map(|key| (key.access_key, key.state, key.source)).collect()
}

#[test]
fn a_made_up_key_is_in_force_at_once_and_after_a_restart() {
    let place = Place::new(&["CONFIGURED"]);
    let (access_key, secret) = place.run(|keys| {
        let keys = keys.unwrap();
        assert!(!place.config.data_dir.join("node.key").exists(), "not before it is needed");
        let wanted = Wanted { access_key: None, secret_key: None, ..wanted("", "org") };
        let (shown, secret) = keys.create(wanted).unwrap();
        assert!(in_force(keys, &shown.access_key) && in_force(keys, "CONFIGURED"));
        assert_eq!((shown.access_key.len(), shown.state, &*shown.user), (20, KeyState::Enabled, "u"));
        (shown.access_key, secret.unwrap())
    });
    assert!(place.config.data_dir.join("node.key").exists());
    place.run(|keys| {
        let found = keys.unwrap().ring().find(&access_key).unwrap();
        assert_eq!((&*found.user, &*found.display_name, &*found.org), ("u", "U", "org"));
        assert!(secret.expose().len() == 40 && !format!("{found:?}").contains(secret.expose()));
    });
}

#[test]
fn an_imported_secret_signs_and_is_not_given_back() {
    let place = Place::new(&[]);
    let signed = oracle::sign_header(&oracle::Unsigned::new("GET", "/b/k"), oracle::MAY_24).head();
    let signs =
        |keys: &AccessKeys| Authenticator::new(keys.ring()).authenticate(&signed, oracle::MAY_24).is_ok();
    place.run(|keys| {
        let keys = keys.unwrap();
        let secret_key = Some(Secret::new(oracle::SECRET_KEY.to_owned()));
        let made = keys.create(Wanted { secret_key, ..wanted(oracle::ACCESS_KEY, "org") }).unwrap();
        assert!(made.1.is_none() && signs(keys));
        keys.set_disabled(oracle::ACCESS_KEY, true).unwrap();
        assert!(!signs(keys));
        keys.set_disabled(oracle::ACCESS_KEY, false).unwrap();
        assert!(signs(keys));
    });
    place.run(|keys| assert!(signs(keys.unwrap())));
}

#[test]
fn disabled_and_deleted_keys_are_out_of_force() {
    let place = Place::new(&[]);
    place.run(|keys| {
        let keys = keys.unwrap();
        keys.create(wanted("AKID", "org")).unwrap();
        let other = keys.create(wanted("OTHER", "org")).map(|_| keys.ring().find("OTHER").unwrap()).unwrap();
        keys.set_disabled("AKID", true).unwrap();
        keys.set_disabled("AKID", true).unwrap();
        assert!(!in_force(keys, "AKID"));
        assert!(Arc::ptr_eq(&other, &keys.ring().find("OTHER").unwrap()), "others are left alone");
    });
    place.run(|keys| {
        let keys = keys.unwrap();
        assert!(!in_force(keys, "AKID"), "also after a restart");
        assert_eq!(states(keys)[0], ("AKID".into(), KeyState::Disabled, KeySource::Stored));
        keys.set_disabled("AKID", false).unwrap();
        assert!(in_force(keys, "AKID"));
        keys.delete("AKID").unwrap();
        assert!(!in_force(keys, "AKID"));
        for refused in
            [keys.delete("AKID"), keys.set_disabled("AKID", true), keys.set_disabled("AKID", false)]
        {
            assert_eq!(refused.unwrap_err().to_string(), "there is no access key AKID");
        }
        keys.create(wanted("AKID", "elsewhere")).unwrap();
        assert_eq!(keys.ring().find("AKID").unwrap().org, "elsewhere");
    });
}

#[test]
fn names_that_exist_are_refused_and_the_configuration_is_not_changed() {
    let place = Place::new(&["CONFIGURED"]);
    place.run(|keys| {
        let keys = keys.unwrap();
        keys.create(wanted("AKID", "org")).unwrap();
        for access_key in ["AKID", "CONFIGURED"] {
            let message = keys.create(wanted(access_key, "org")).unwrap_err().to_string();
            assert_eq!(message, format!("the access key {access_key} exists already"));
        }
        for refused in [keys.delete("CONFIGURED"), keys.set_disabled("CONFIGURED", true)] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains("CONFIGURED is none of the stored ones"), "{message}");
        }
        assert!(in_force(keys, "CONFIGURED"));
    });
}

#[test]
fn of_one_name_the_key_of_the_configuration_counts() {
    let mut place = Place::new(&[]);
    place.run(|keys| keys.unwrap().create(wanted("AKID", "org")).map(drop)).unwrap();
    place.config.access_keys = Place::new(&["AKID"]).config.access_keys.clone();
    place.run(|keys| {
        let keys = keys.unwrap();
        assert_eq!(keys.ring().find("AKID").unwrap().org, "org-main");
        let expected = [(KeyState::Enabled, KeySource::File), (KeyState::Hidden, KeySource::Stored)];
        assert_eq!(states(keys), expected.map(|(state, source)| ("AKID".to_owned(), state, source)));
        assert_eq!(keys.list(Some("org")).len(), 1);
        assert!(matches!(keys.delete("AKID"), Err(KeyError::Configured(_))));
    });
    place.config.access_keys.clear();
    place.run(|keys| assert_eq!(keys.unwrap().ring().find("AKID").unwrap().org, "org"));
}

#[test]
fn what_a_configuration_would_refuse_is_refused() {
    let place = Place::new(&[]);
    place.run(|keys| {
        let keys = keys.unwrap();
        let short = || Some(Secret::new("topsec".to_owned()));
        for (field, wanted) in [
            ("access key", wanted("a,b", "org")),
            ("access key", wanted("ab", "org")),
            ("access key", wanted(&"a".repeat(129), "org")),
            ("secret", Wanted { secret_key: short(), ..wanted("AKID", "org") }),
            ("user", Wanted { user: String::new(), ..wanted("AKID", "org") }),
            ("display name", Wanted { display_name: "a\nb".to_owned(), ..wanted("AKID", "org") }),
            ("organisation", wanted("AKID", "")),
        ] {
            let message = keys.create(wanted).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{field} must be")), "{message}");
            assert!(!message.contains("topsec"));
        }
        assert_eq!(keys.list(None), []);
    });
    assert!(!place.config.data_dir.join("node.key").exists(), "a refused key needs no node key");
}

#[test]
fn a_node_with_another_node_key_or_none_does_not_start() {
    let place = Place::new(&[]);
    let file = place.config.data_dir.join("node.key");
    place.run(|keys| {
        let keys = keys.unwrap();
        keys.create(wanted("AKID", "org")).unwrap();
        keys.set_disabled("AKID", true).unwrap();
    });
    let right = std::fs::read(&file).unwrap();
    std::fs::write(&file, "ab".repeat(32)).unwrap();
    let message = place.run(|keys| keys.err().unwrap().to_string());
    assert!(message.contains(file.to_str().unwrap()) && message.contains("AKID"), "{message}");
    std::fs::remove_file(&file).unwrap();
    let message = place.run(|keys| keys.err().unwrap().to_string());
    assert!(
        message.contains(file.to_str().unwrap()) && message.contains("1 stored access keys"),
        "{message}"
    );
    assert!(!file.exists(), "no new key is made in its place");
    std::fs::write(&file, right).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.run(|keys| keys.unwrap().set_disabled("AKID", false).unwrap());
}

/// Who can write to the index cannot give a secret another name, user or organisation.
#[test]
fn a_record_under_another_name_stops_the_start() {
    let place = Place::new(&[]);
    place.run(|keys| keys.unwrap().create(wanted("AKID", "org")).map(drop)).unwrap();
    let read = |name| place.engine.get(&key_encoding::credential_key(name)).unwrap().unwrap().value;
    let write = |name, record: Vec<u8>| {
        let writes = vec![Write::Put(key_encoding::credential_key(name), record)];
        place.engine.commit(&[Batch { checks: vec![], writes }]).unwrap();
    };
    let original = read("AKID");
    let record = KeyRecord::decode(&original).unwrap();
    for changed in [
        KeyRecord { user: "root".into(), ..record.clone() },
        KeyRecord { org: "other".into(), ..record.clone() },
    ] {
        write("AKID", changed.encode());
        assert!(place.run(|keys| matches!(keys, Err(KeyError::NodeKey(NodeKeyError::Wrong { .. })))));
    }
    write("AKID", original.clone());
    place.run(|keys| assert!(keys.is_ok()));
    write("MOVED", original);
    let message = place.run(|keys| keys.err().unwrap().to_string());
    assert!(message.contains("MOVED"), "{message}");
}
