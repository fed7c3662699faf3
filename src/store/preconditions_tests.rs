use super::Unmet::{IsNoneOf, IsOneOf, ModifiedSince, UnmodifiedSince};
use super::*;

const MODIFIED_S: i64 = 1_700_000_000;
const NOW_S: i64 = MODIFIED_S + 1_000;

/// How one condition bears on the object: it holds, it does not, or it is not there.
const STATES: [Option<bool>; 3] = [None, Some(true), Some(false)];

fn etags(etag: &str) -> ETags {
    ETags::Listed(vec!["other".to_owned(), etag.to_owned()])
}

/// Conditions in the order of the fields. Dates: `true` is the side of the last change on which the condition holds.
fn conditions(states: [Option<bool>; 4], combination: Combination) -> Preconditions {
    let [is_one_of, is_none_of, modified_since, unmodified_since] = states;
    Preconditions {
        is_one_of: is_one_of.map(|holds| etags(if holds { "abc" } else { "x" })),
        is_none_of: is_none_of.map(|holds| etags(if holds { "x" } else { "abc" })),
        modified_since: modified_since.map(|holds| if holds { MODIFIED_S - 1 } else { MODIFIED_S }),
        unmodified_since: unmodified_since.map(|holds| if holds { MODIFIED_S } else { MODIFIED_S - 1 }),
        combination,
    }
}

fn judged(states: [Option<bool>; 4], combination: Combination) -> Result<(), Unmet> {
    conditions(states, combination).judge(Some(("abc", MODIFIED_S)), NOW_S)
}

#[test]
fn a_transaction_may_hold_them() {
    fn holds<T: Clone + Send + 'static>(_: T) {}
    holds(Preconditions::default());
    assert!(Preconditions::default().is_empty());
    assert!(Preconditions { combination: Combination::All, ..Preconditions::default() }.is_empty());
}

#[test]
fn each_alone() {
    for combination in [Combination::TagsBeforeDates, Combination::All] {
        for (place, unmet) in [IsOneOf, IsNoneOf, ModifiedSince, UnmodifiedSince].into_iter().enumerate() {
            let mut states = [None; 4];
            states[place] = Some(true);
            assert_eq!(judged(states, combination), Ok(()), "{unmet:?}");
            assert!(!conditions(states, combination).is_empty());
            states[place] = Some(false);
            assert_eq!(judged(states, combination), Err(unmet));
        }
        assert_eq!(judged([None; 4], combination), Ok(()));
    }
}

#[test]
fn every_combination() {
    for one_of in STATES {
        for none_of in STATES {
            for modified in STATES {
                for unmodified in STATES {
                    let states = [one_of, none_of, modified, unmodified];
                    let all_hold = states.iter().all(|state| *state != Some(false));
                    assert_eq!(judged(states, Combination::All).is_ok(), all_hold, "{states:?}");
                    // A date counts only where there is no tag beside it.
                    let counting = [
                        one_of,
                        none_of,
                        modified.filter(|_| none_of.is_none()),
                        unmodified.filter(|_| one_of.is_none()),
                    ];
                    let all_hold = counting.iter().all(|state| *state != Some(false));
                    assert_eq!(judged(states, Combination::TagsBeforeDates).is_ok(), all_hold, "{states:?}");
                }
            }
        }
    }
}

#[test]
fn the_combinations_of_a_copy() {
    let judged = |states| judged(states, Combination::TagsBeforeDates);
    assert_eq!(judged([Some(true), None, None, Some(false)]), Ok(()));
    assert_eq!(judged([None, Some(false), Some(true), None]), Err(IsNoneOf));
    assert_eq!(judged([Some(false), Some(false), Some(false), Some(false)]), Err(IsOneOf));
}

#[test]
fn any_object_and_none() {
    let any = Some(ETags::Any);
    let exists = Preconditions { is_one_of: any.clone(), ..Preconditions::default() };
    let absent = Preconditions { is_none_of: any, ..Preconditions::default() };
    let object = Some(("abc", MODIFIED_S));
    assert_eq!(exists.judge(object, NOW_S), Ok(()));
    assert_eq!(exists.judge(None, NOW_S), Err(IsOneOf));
    assert_eq!(absent.judge(object, NOW_S), Err(IsNoneOf));
    assert_eq!(absent.judge(None, NOW_S), Ok(()));
    for combination in [Combination::TagsBeforeDates, Combination::All] {
        let judged = |states| conditions(states, combination).judge(None, NOW_S);
        assert_eq!(judged([Some(true), None, None, None]), Err(IsOneOf));
        assert_eq!(judged([None, Some(false), None, None]), Ok(()));
        assert_eq!(judged([None, None, Some(true), None]), Err(ModifiedSince));
        assert_eq!(judged([None, None, None, Some(false)]), Ok(()));
    }
}

#[test]
fn dates_in_the_future() {
    let later = |combination| Preconditions {
        modified_since: Some(NOW_S + 1),
        combination,
        ..Preconditions::default()
    };
    let object = Some(("abc", MODIFIED_S));
    assert_eq!(later(Combination::TagsBeforeDates).judge(object, NOW_S), Ok(()));
    assert_eq!(later(Combination::TagsBeforeDates).judge(object, NOW_S + 1), Err(ModifiedSince));
    assert_eq!(later(Combination::All).judge(object, NOW_S), Err(ModifiedSince));
}
