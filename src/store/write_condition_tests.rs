use super::*;
use crate::index::record::{Content, ETag, Metadata, Owner};

const ADMITTED_MS: i64 = 1000;

const MD5: [u8; 16] = [0xab; 16];
const TAG: &str = "abababababababababababababababab";

fn object(parts: Option<u16>, last_modified_ms: i64) -> ObjectRecord {
    let listed = Listed {
        delete_marker: false,
        null_version: true,
        size: 1,
        last_modified_ms,
        stamp: 1,
        etag: ETag { md5: MD5, parts },
        checksum: None,
        owner: Owner::default(),
    };
    ObjectRecord { listed, metadata: Metadata::default(), content: Content::default() }
}

fn tag_is(etag: &str) -> WriteCondition {
    WriteCondition::ETagIs(etag.into())
}

/// What a condition says of no object, of one that was there, and of one made since the request came in.
#[test]
fn admission_tells_a_wrong_client_from_one_that_lost_a_race() {
    use WriteRefusal::{ConditionFailed, Conflict, NoSuchKey};
    let (earlier, later) = (object(None, ADMITTED_MS), object(None, ADMITTED_MS + 1));
    for (condition, of_none, of_earlier, of_later) in [
        (WriteCondition::None, Ok(()), Ok(()), Ok(())),
        (WriteCondition::Absent, Ok(()), Err(ConditionFailed), Err(Conflict)),
        (WriteCondition::Exists, Err(NoSuchKey), Ok(()), Ok(())),
        (tag_is(TAG), Err(NoSuchKey), Ok(()), Ok(())),
        (tag_is("other"), Err(NoSuchKey), Err(ConditionFailed), Err(Conflict)),
    ] {
        let judged = |current| condition.judge_at_admission(current, ADMITTED_MS);
        assert_eq!(judged(None), of_none, "{condition:?}");
        assert_eq!(judged(Some(&earlier)), of_earlier, "{condition:?}");
        assert_eq!(judged(Some(&later)), of_later, "{condition:?}");
    }
}

/// It was admitted, so whatever broke it came in meanwhile, even if it is no object any more.
#[test]
fn a_condition_that_is_broken_at_the_commit_is_a_conflict() {
    let there = object(None, 0);
    for (condition, of_none, of_there) in [
        (WriteCondition::None, true, true),
        (WriteCondition::Absent, true, false),
        (WriteCondition::Exists, false, true),
        (tag_is(TAG), false, true),
        (tag_is("other"), false, false),
    ] {
        let expected = |holds: bool| if holds { Ok(()) } else { Err(WriteRefusal::Conflict) };
        assert_eq!(condition.judge_at_commit(None), expected(of_none), "{condition:?}");
        assert_eq!(condition.judge_at_commit(Some(&there)), expected(of_there), "{condition:?}");
    }
}

#[test]
fn a_tag_is_compared_whole_and_as_it_is_written() {
    let (single, multipart) = (object(None, 0), object(Some(3), 0));
    let holds = |condition: &str, current| tag_is(condition).judge_at_commit(Some(current)).is_ok();
    let with_parts = format!("{TAG}-3");
    assert!(holds(TAG, &single) && holds(&with_parts, &multipart));
    for (other, current) in [
        (TAG, &multipart),
        (&with_parts[..], &single),
        (&format!("{TAG}-4")[..], &multipart),
        (&TAG.to_uppercase()[..], &single),
        (&format!("W/\"{TAG}\"")[..], &single),
        (&TAG[1..], &single),
        ("", &single),
        ("*", &single),
    ] {
        assert!(!holds(other, current), "{other}");
    }
}
