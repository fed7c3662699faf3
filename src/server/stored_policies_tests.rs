use super::*;
use crate::config::OrgPolicyConfig;
use crate::config::limits::POLICY_BYTES_MAX;
use crate::index::engine::Engine;
use crate::server::test_accounts::{memory, with_accounts};

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
}
"#;

/// Runs a node as far as policies are concerned.
fn run<T>(
    engine: &Engine,
    config: &Config,
    life: impl FnOnce(Result<&StoredPolicies, OrgPolicyError>) -> T,
) -> T {
    with_accounts(engine, |accounts| match StoredPolicies::open(config, accounts) {
        Ok(policies) => life(Ok(&policies)),
        Err(error) => life(Err(error)),
    })
}

fn with_files(files: &[(&str, &Path)]) -> Config {
    let policy =
        |(org, file): &(&str, &Path)| OrgPolicyConfig { org: (*org).to_owned(), file: (*file).to_owned() };
    Config { org_policies: files.iter().map(policy).collect(), ..Config::default() }
}

#[test]
fn a_stored_policy_is_in_force_at_once_and_after_a_restart() {
    let (engine, config) = (memory(), Config::default());
    run(&engine, &config, |policies| {
        let policies = policies.unwrap();
        let core = policies.in_force();
        assert!(core.of("org").is_empty());
        policies.put("org", POLICY.to_owned()).unwrap();
        policies.put("org", POLICY.to_owned()).unwrap();
        assert_eq!(core.of("org").len(), 1, "the second replaces the first");
        assert_eq!(policies.get("org").unwrap(), POLICY);
    });
    run(&engine, &config, |policies| {
        let policies = policies.unwrap();
        assert_eq!(
            (policies.in_force().of("org").len(), policies.get("org").unwrap()),
            (1, POLICY.to_owned())
        );
        policies.delete("org").unwrap();
        assert!(policies.in_force().of("org").is_empty() && policies.list().is_empty());
        for refused in [policies.delete("org"), policies.get("org").map(drop)] {
            assert_eq!(refused.unwrap_err().to_string(), "the organisation \"org\" has no stored policy");
        }
    });
}

#[test]
fn policies_of_files_stand_beside_the_stored_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.json");
    std::fs::write(&file, POLICY).unwrap();
    let config = with_files(&[("org", &file), ("org", &file), ("other", &file)]);
    run(&memory(), &config, |policies| {
        let policies = policies.unwrap();
        let core = policies.in_force();
        assert_eq!((core.of("org").len(), core.of("other").len()), (2, 1));
        policies.put("org", POLICY.to_owned()).unwrap();
        assert_eq!(core.of("org").len(), 3);
        let listed = policies.list();
        assert_eq!(listed.len(), 4);
        assert_eq!((listed[0].file.as_deref(), listed[0].bytes), (file.to_str(), POLICY.len()));
        assert_eq!((listed[3].org.as_str(), &listed[3].file), ("org", &None));
        policies.delete("org").unwrap();
        assert_eq!(core.of("org").len(), 2);
        assert!(matches!(policies.delete("other"), Err(OrgPolicyError::Missing(_))));
    });
}

#[test]
fn what_is_no_policy_is_refused_with_the_reason_and_changes_nothing() {
    let engine = memory();
    run(&engine, &Config::default(), |policies| {
        let policies = policies.unwrap();
        policies.put("org", POLICY.to_owned()).unwrap();
        let message = policies.put("org", "no policy".to_owned()).unwrap_err().to_string();
        assert!(message.contains("Policies must be valid JSON"), "{message}");
        let long = format!("{{{}", " ".repeat(POLICY_BYTES_MAX));
        let message = policies.put("org", long).unwrap_err().to_string();
        assert!(message.contains("maximum allowed document size"), "{message}");
        let message = policies.put("", POLICY.to_owned()).unwrap_err().to_string();
        assert!(message.starts_with("organisation must be"), "{message}");
        assert_eq!(policies.get("org").unwrap(), POLICY);
    });
}

#[test]
fn a_policy_that_is_none_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let (absent, bad, long) =
        (directory.path().join("absent"), directory.path().join("bad"), directory.path().join("long"));
    std::fs::write(&bad, "no policy").unwrap();
    std::fs::write(&long, format!("{{{}", " ".repeat(POLICY_BYTES_MAX))).unwrap();
    for (file, reason) in
        [(&absent, "No such file"), (&bad, "valid JSON"), (&long, "maximum allowed document size")]
    {
        let message =
            run(&memory(), &with_files(&[("org-a", file)]), |policies| policies.err().unwrap().to_string());
        for part in [file.to_str().unwrap(), "org-a", reason] {
            assert!(message.contains(part), "{message}");
        }
    }
    let engine = memory();
    run(&engine, &Config::default(), |policies| {
        policies.unwrap().accounts.set_org_policy("org-b", b"no policy".to_vec()).map(drop).unwrap();
    });
    let message = run(&engine, &Config::default(), |policies| policies.err().unwrap().to_string());
    assert!(message.contains("org-b") && message.contains("valid JSON"), "{message}");
}
