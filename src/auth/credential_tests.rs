use super::*;
use crate::auth::sigv4::oracle::{self, MAY_24, Unsigned};
use crate::auth::{AuthError, Authentication, Authenticator};
use crate::http::head::RequestHead;

fn credential(access_key: &str, secret_key: &str, user: &str) -> Credential {
    Credential {
        access_key: access_key.to_owned(),
        secret_key: secret_key.into(),
        user: user.to_owned(),
        display_name: user.to_owned(),
        org: "org".to_owned(),
    }
}

/// The user behind a request, or the name of the refusal.
fn verdict(core: &Authenticator, head: &RequestHead) -> Result<String, &'static str> {
    match core.authenticate(head, MAY_24) {
        Ok(Authentication::Signed { identity, .. }) => Ok(identity.user.clone()),
        Err(AuthError::UnknownAccessKey { .. }) => Err("unknown"),
        Err(AuthError::SignatureMismatch(_)) => Err("mismatch"),
        other => panic!("{other:?}"),
    }
}

fn signed_and_presigned() -> [RequestHead; 2] {
    let request = Unsigned::new("GET", "/b/k");
    [oracle::sign_header(&request, MAY_24).head(), oracle::presign(&request, MAY_24, 60).head()]
}

#[test]
fn clones_are_one_ring() {
    let ring = KeyRing::default();
    let core = ring.clone();
    assert!(core.is_empty());
    ring.insert(credential("a", "secret-a", "alice"));
    ring.insert(credential("b", "secret-b", "bob"));
    assert_eq!((core.len(), &*core.find("a").unwrap().user), (2, "alice"));
    let unchanged = core.find("b").unwrap();
    ring.remove("a");
    assert!(core.find("a").is_none());
    assert!(Arc::ptr_eq(&unchanged, &core.find("b").unwrap()), "what is derived from other keys stays valid");
}

#[test]
fn a_change_is_in_force_for_the_next_request_of_every_core() {
    let ring = KeyRing::default();
    let cores = [Authenticator::new(ring.clone()), Authenticator::new(ring.clone())];
    for head in signed_and_presigned() {
        for core in &cores {
            assert_eq!(verdict(core, &head), Err("unknown"));
        }
        ring.insert(credential(oracle::ACCESS_KEY, oracle::SECRET_KEY, "alice"));
        for core in &cores {
            assert_eq!(verdict(core, &head), Ok("alice".to_owned()));
        }
        ring.remove(oracle::ACCESS_KEY);
        for core in &cores {
            assert_eq!(verdict(core, &head), Err("unknown"));
        }
    }
}

#[test]
fn what_was_derived_from_a_replaced_secret_is_not_used() {
    let ring = KeyRing::default();
    let core = Authenticator::new(ring.clone());
    for head in signed_and_presigned() {
        ring.insert(credential(oracle::ACCESS_KEY, oracle::SECRET_KEY, "alice"));
        assert_eq!(verdict(&core, &head), Ok("alice".to_owned()));
        ring.remove(oracle::ACCESS_KEY);
        ring.insert(credential(oracle::ACCESS_KEY, "another-secret", "alice"));
        assert_eq!(verdict(&core, &head), Err("mismatch"));
        // The same secret for another user: the identity is that of the ring, not the kept one.
        ring.insert(credential(oracle::ACCESS_KEY, oracle::SECRET_KEY, "bob"));
        assert_eq!(verdict(&core, &head), Ok("bob".to_owned()));
        ring.remove(oracle::ACCESS_KEY);
    }
}

#[test]
fn a_removed_credential_is_dropped_although_its_signing_key_is_kept() {
    let ring = KeyRing::from(vec![credential(oracle::ACCESS_KEY, oracle::SECRET_KEY, "alice")]);
    let core = Authenticator::new(ring.clone());
    let held = Arc::downgrade(&ring.find(oracle::ACCESS_KEY).unwrap());
    for head in signed_and_presigned() {
        assert!(verdict(&core, &head).is_ok());
    }
    assert!(held.upgrade().is_some());
    ring.remove(oracle::ACCESS_KEY);
    assert!(held.upgrade().is_none());
}

#[test]
fn readers_see_whole_rings_while_it_changes() {
    let ring = KeyRing::from(vec![credential("stays", "secret", "s")]);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while ring.find("last").is_none() {
                assert!(ring.find("stays").is_some());
                seen += 1;
            }
            seen
        });
        for round in 0..500 {
            ring.insert(credential(&format!("k{round}"), "secret", "u"));
        }
        ring.insert(credential("last", "secret", "u"));
        reader.join().unwrap();
    });
    assert_eq!(ring.len(), 502);
}

#[test]
fn nothing_is_shown() {
    let ring = KeyRing::from(vec![credential("a", "wJalrXUtnFEMI", "alice")]);
    assert_eq!(format!("{ring:?}"), "KeyRing(1 keys)");
    assert!(!format!("{:?}", ring.find("a")).contains("wJalr"));
}
