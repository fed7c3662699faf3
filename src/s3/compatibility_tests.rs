use super::*;

#[test]
fn a_served_call_is_told_apart_as_the_reference_says() {
    for row in OPERATIONS {
        let Some(call) = REFERENCE.iter().find(|call| call.name == row.name) else { continue };
        assert_eq!((call.method, call.scope), (row.method, row.scope), "{}", row.name);
        let is_plain = |selector| selector == Selector::Plain;
        assert_eq!(is_plain(call.selector), is_plain(row.selector), "{}", row.name);
    }
}

#[test]
fn a_call_that_is_not_served_is_refused_by_name() {
    for call in REFERENCE {
        let status = status(call);
        assert!(
            status == "yes" || status.contains("not yet (501 NotImplemented)") || status.contains("(404 "),
            "{}: {status}",
            call.name
        );
    }
}

#[test]
fn every_call_stands_in_the_table_once() {
    let table = markdown_table();
    for name in REFERENCE.iter().map(|call| call.name).chain(ops::names()) {
        assert_eq!(table.matches(&format!("| {name} |")).count(), 1, "{name}");
    }
}
