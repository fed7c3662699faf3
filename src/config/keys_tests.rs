use super::*;

#[test]
fn flags_are_the_names_with_dashes() {
    for key in KEYS {
        assert_eq!(key.flag, key.name.replace(['_', '.'], "-"));
    }
}
