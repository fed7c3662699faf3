use super::*;

fn element(name: &str, text: &str) -> Element {
    Element { name: name.to_owned(), text: text.to_owned(), children: Vec::new() }
}

#[test]
fn reads_a_body_with_and_without_namespace() {
    let plain = "<Delete><Object><Key>a b</Key></Object><Quiet>true</Quiet></Delete>";
    let namespaced = "<?xml version='1.0' encoding='UTF-8'?>\n\
        <Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Object>\n    <Key>a b</Key>\n  </Object>\n\
        <!-- once -->  <Quiet>true</Quiet>\r\n</Delete>\n";
    let prefixed = "\u{feff}<s3:Delete xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\"><s3:Object>\
        <s3:Key>a b</s3:Key></s3:Object><s3:Quiet>true</s3:Quiet></s3:Delete>";
    let object = Element { children: vec![element("Key", "a b")], ..element("Object", "") };
    let expected = Element { children: vec![object, element("Quiet", "true")], ..element("Delete", "") };
    for document in [plain, namespaced, prefixed] {
        assert_eq!(parse(document.as_bytes()).as_ref(), Ok(&expected), "{document}");
    }
}

#[test]
fn finds_children_by_name() {
    let tree = parse(b"<A><B>1</B><C/><B>2</B></A>").unwrap();
    let texts: Vec<_> = tree.children_named("B").map(|child| child.text.as_str()).collect();
    assert_eq!(texts, ["1", "2"]);
    assert_eq!(tree.child_text("B"), Some("1"));
    assert_eq!(tree.child_text("C"), Some(""));
    assert_eq!(tree.child("D"), None);
}

#[test]
fn resolves_references_and_keeps_spaces() {
    let tree = parse(b"<K> &lt;&gt;&amp;&quot;&apos;&#x41;&#66;&#x1; <![CDATA[<b>&amp;]]>\r\n</K>").unwrap();
    assert_eq!(tree.text, " <>&\"'AB\u{1} <b>&amp;\n");
}

#[test]
fn refuses_what_is_not_well_formed() {
    for document in [
        "",
        " ",
        "text",
        "<A>",
        "</A>",
        "<A></B>",
        "<A><B></A></B>",
        "<A/><B/>",
        "<A/>text",
        "text<A/>",
        "<A b></A>",
        "<A b='1></A>",
        "<A>&</A>",
        "<A>&lt</A>",
        "<A>&#0;</A>",
        "<A>&#xD800;</A>",
        "<A>&#x110000;</A>",
        "<A>\0</A>",
        "<A/><?xml version='1.0'?>",
        "<A><!-- -- --></A>",
    ] {
        assert_eq!(parse(document.as_bytes()), Err(XmlError::NotWellFormed), "{document:?}");
    }
}

#[test]
fn refuses_what_could_expand() {
    for document in [
        "<!DOCTYPE A [<!ENTITY x \"y\">]><A>&x;</A>",
        "<!DOCTYPE A SYSTEM \"file:///etc/passwd\"><A/>",
        "<A>&x;</A>",
        "<A><?php ?></A>",
    ] {
        assert_eq!(parse(document.as_bytes()), Err(XmlError::Forbidden), "{document:?}");
    }
}

#[test]
fn refuses_text_beside_elements() {
    for document in ["<A>text<B/></A>", "<A><B/>text</A>", "<A><B/>&lt;</A>"] {
        assert_eq!(parse(document.as_bytes()), Err(XmlError::MixedContent), "{document:?}");
    }
}

#[test]
fn refuses_other_encodings() {
    assert_eq!(parse(b"<A>\xff</A>"), Err(XmlError::Encoding));
    assert_eq!(parse(b"<?xml version='1.0' encoding='latin1'?><A/>"), Err(XmlError::Encoding));
    assert_eq!(parse(b"\xff\xfe<\0A\0/\0>\0"), Err(XmlError::Encoding));
}

#[test]
fn holds_its_bounds() {
    let nested = |depth: usize| format!("{}{}", "<A>".repeat(depth), "</A>".repeat(depth));
    assert!(parse(nested(XML_DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(XML_DEPTH_MAX + 1).as_bytes()), Err(XmlError::TooLarge));
    assert_eq!(parse("<A>".repeat(100_000).as_bytes()), Err(XmlError::TooLarge));

    let wide = |children: usize| format!("<A>{}</A>", "<B/>".repeat(children));
    assert!(parse(wide(XML_ELEMENTS_MAX - 1).as_bytes()).is_ok());
    assert_eq!(parse(wide(XML_ELEMENTS_MAX).as_bytes()), Err(XmlError::TooLarge));

    let attributes = |count: usize| format!("<A{}/>", " a='1'".repeat(count));
    assert!(parse(attributes(XML_ATTRIBUTES_MAX).as_bytes()).is_ok());
    assert_eq!(parse(attributes(XML_ATTRIBUTES_MAX + 1).as_bytes()), Err(XmlError::TooLarge));

    assert_eq!(parse(&vec![b' '; XML_BODY_BYTES_MAX + 1]), Err(XmlError::TooLarge));
}

proptest::proptest! {
    #[test]
    fn never_panics(body in "[<>/a&;#x! ?\\[\\]'\"=-]{0,64}") {
        let _ = parse(body.as_bytes());
    }
}
