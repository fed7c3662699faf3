use super::*;

const SYNTAX: Syntax = Syntax { has_variables: true, has_wildcards: true };

fn pieces(text: &str) -> Vec<Piece> {
    Template::parse(text, SYNTAX).expect("a good template").pieces
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn variable(name: &str, default: Option<&str>) -> Piece {
    let source = Source::named(name).expect("a known key");
    Piece::Variable { source, default: default.map(str::to_owned) }
}

#[test]
fn reads_wildcards_and_variables() {
    assert_eq!(pieces(""), []);
    assert_eq!(pieces("a*b?"), [text("a"), Piece::AnyRun, text("b"), Piece::AnyChar]);
    assert_eq!(pieces("a${*}${?}${$}b"), [text("a*?$b")]);
    assert_eq!(pieces("$a{b}$"), [text("$a{b}$")]);
    assert_eq!(
        pieces("a/${aws:username}/*"),
        [text("a/"), variable("aws:username", None), text("/"), Piece::AnyRun]
    );
    let with_default = [variable("aws:username", Some("no, }body"))];
    assert_eq!(pieces("${aws:username,'no, }body'}"), with_default);
    assert_eq!(pieces("${ AWS:UserName , 'no, }body' }"), with_default);
    assert_eq!(pieces("${s3:ExistingObjectTag/Team}"), [variable("s3:existingobjecttag/Team", None)]);
}

#[test]
fn refuses_what_is_no_variable() {
    for (text, reason) in [
        ("${", "a variable without end"),
        ("${aws:username", "a variable without end"),
        ("${}", "a variable of an unknown key"),
        ("${*", "a variable without end"),
        ("${**}", "a variable of an unknown key"),
        ("${aws:nobody}", "a variable of an unknown key"),
        ("${s3:RequestObjectTagKeys}", "a variable of a key with several values"),
        ("${aws:username, nobody}", "a default without quotes"),
        ("${aws:username, 'nobody}", "a default without end"),
        ("${aws:username, 'nobody' or so}", "a variable without end"),
    ] {
        assert_eq!(Template::parse(text, SYNTAX), Err(reason), "{text}");
        let of_2008 = Syntax { has_variables: false, has_wildcards: false };
        assert_eq!(
            Template::parse(text, of_2008).map(|template| template.pieces),
            Ok(vec![self::text(text)])
        );
    }
}

#[test]
fn splits_at_colons_outside_of_variables() {
    let split = |text: &str| {
        let parts = Template::parse(text, SYNTAX).expect("a good template").split_at_colons(3);
        parts.into_iter().map(|part| part.pieces).collect::<Vec<_>>()
    };
    assert_eq!(split("a"), [vec![text("a")]]);
    assert_eq!(split("a:b:c:d"), [vec![text("a")], vec![text("b")], vec![text("c:d")]]);
    assert_eq!(split("::"), [vec![], vec![], vec![]]);
    assert_eq!(
        split("a*:${aws:username}:?"),
        [vec![text("a"), Piece::AnyRun], vec![variable("aws:username", None)], vec![Piece::AnyChar]]
    );
}
