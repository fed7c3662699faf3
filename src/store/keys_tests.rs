use ringstone_io::disk::Disk;
use ringstone_io::runtime::Clock;

use super::*;
use crate::config::Calendar;
use crate::index::engine::MemoryEngine;
use crate::seal::NodeKey;
use crate::store::extent::space::SpaceOptions;
use crate::store::org_policies::NoOrgPolicy;
use crate::store::start::SharedStore;

/// Starts a store over the index, lets `work` change accounts and stops it.
fn with_accounts<T>(engine: &Engine, work: impl FnOnce(&Accounts) -> T) -> T {
    let options = SpaceOptions { extent_bytes: 1 << 24, reserve_bytes: 0 };
    let shared = SharedStore::open(
        engine.clone(),
        Disk::simulated(1),
        options,
        1,
        Clock::system(),
        Calendar::default(),
    )
    .unwrap();
    let accounts = shared.accounts();
    let done = work(&accounts);
    drop(accounts);
    shared.close();
    done
}

fn memory() -> Engine {
    Engine::Memory(MemoryEngine::new())
}

fn new_key(user: &str) -> NewKey {
    let secret = NodeKey::new(&[1; 32]).seal(&["AK", user, "org"], "secret").unwrap();
    NewKey { user: user.into(), display_name: "Display".into(), org: "org".into(), secret }
}

#[test]
fn a_key_is_made_once_changed_and_deleted() {
    let engine = memory();
    with_accounts(&engine, |accounts| {
        let before_ms = Clock::system().unix_ms();
        let made = accounts.create_key("AK", new_key("u")).unwrap().value().clone();
        assert!(!made.disabled && made.created_ms >= before_ms);
        let again = accounts.create_key("AK", new_key("other"));
        assert!(matches!(again, Err(Refusal::Refused(KeyRefusal::Exists))));
        assert_eq!(accounts.keys().unwrap(), [("AK".to_owned(), made.clone())]);
    });
    // As the next start finds it.
    with_accounts(&engine, |accounts| {
        assert_eq!(accounts.keys().unwrap()[0].1.user, "u");
        let disabled = accounts.set_key_disabled("AK", true).unwrap().value().clone();
        assert!(disabled.disabled && accounts.keys().unwrap() == [("AK".to_owned(), disabled)]);
        assert!(!accounts.set_key_disabled("AK", false).unwrap().value().disabled);
        accounts.delete_key("AK").unwrap();
        assert_eq!(accounts.keys().unwrap(), []);
        for refused in [accounts.delete_key("AK").map(drop), accounts.set_key_disabled("AK", true).map(drop)]
        {
            assert!(matches!(refused, Err(Refusal::Refused(KeyRefusal::Missing))));
        }
    });
}

#[test]
fn more_keys_than_a_page_are_read() {
    with_accounts(&memory(), |accounts| {
        for number in 0..PAGE_ENTRIES + 5 {
            accounts.create_key(&format!("AK{number:05}"), new_key("u")).unwrap();
        }
        let keys = accounts.keys().unwrap();
        assert_eq!(keys.len(), PAGE_ENTRIES + 5);
        assert!(keys.is_sorted_by(|one, other| one.0 < other.0));
    });
}

#[test]
fn policies_are_kept_as_they_were_given() {
    let engine = memory();
    with_accounts(&engine, |accounts| {
        accounts.set_org_policy("b", b" {\n} ".to_vec()).unwrap();
        accounts.set_org_policy("a", b"{}".to_vec()).unwrap();
        accounts.set_org_policy("a", b"{1}".to_vec()).unwrap();
    });
    with_accounts(&engine, |accounts| {
        let expected = [("a".to_owned(), b"{1}".to_vec()), ("b".to_owned(), b" {\n} ".to_vec())];
        assert_eq!(accounts.org_policies().unwrap(), expected);
        accounts.delete_org_policy("a").unwrap();
        assert!(matches!(accounts.delete_org_policy("a"), Err(Refusal::Refused(NoOrgPolicy))));
        assert_eq!(accounts.org_policies().unwrap(), expected[1..]);
        assert_eq!(accounts.keys().unwrap(), [], "the tables do not touch");
    });
}

#[test]
fn a_record_that_is_none_is_an_error() {
    let engine = memory();
    with_accounts(&engine, |accounts| accounts.create_key("AK", new_key("u")).map(drop)).unwrap();
    let key = key_encoding::credential_key("AK");
    let write = crate::index::engine::Write::Put(key, vec![9]);
    engine.commit(&[crate::index::engine::Batch { checks: vec![], writes: vec![write] }]).unwrap();
    let error = with_accounts(&engine, Accounts::keys).unwrap_err().to_string();
    assert!(error.contains("KAK"), "{error}");
}
