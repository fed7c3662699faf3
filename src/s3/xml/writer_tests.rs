use super::*;
use crate::s3::xml::parse;

fn text_of(text: &str) -> String {
    let mut writer = Writer::new();
    writer.element("Key", text);
    let document = String::from_utf8(writer.finish()).unwrap();
    let inner = document.strip_prefix(PROLOG).unwrap().strip_prefix("<Key>").unwrap();
    inner.strip_suffix("</Key>").unwrap().to_owned()
}

#[test]
fn nests_and_closes_what_is_open() {
    let mut writer = Writer::with_root("ListBucketResult");
    writer.element("Name", "first-bucket");
    writer.boolean("IsTruncated", false);
    writer.number("KeyCount", 1);
    writer.element_if("Prefix", None);
    writer.open("Contents");
    writer.element("Key", "a");
    writer.close();
    writer.open("Owner");
    assert_eq!(
        String::from_utf8(writer.finish()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>first-bucket</Name>\
         <IsTruncated>false</IsTruncated><KeyCount>1</KeyCount><Contents><Key>a</Key></Contents>\
         <Owner></Owner></ListBucketResult>"
    );
}

#[test]
fn escapes_markup_and_what_xml_forbids() {
    assert_eq!(text_of("\"etag\""), "&quot;etag&quot;");
    assert_eq!(text_of("<a href='x'>&amp;</a>"), "&lt;a href='x'&gt;&amp;amp;&lt;/a&gt;");
    assert_eq!(text_of("a\u{1}b\r\n\tc\u{1f}"), "a&#x1;b&#xd;\n\tc&#x1f;");
    assert_eq!(text_of("\u{ffff}ключ🦀"), "&#xffff;ключ🦀");
    assert_eq!(text_of(""), "");
}

#[test]
fn reader_gives_back_what_was_written() {
    for text in ["", " ", "a", "<&>\"'", "line\nline\r\n", "\u{1}\u{1f}", "ключ🦀", "]]>", "&#x41;"] {
        let mut writer = Writer::with_root("Delete");
        writer.open("Object");
        writer.element("Key", text);
        let document = writer.finish();
        let tree = parse(&document).unwrap();
        assert_eq!(tree.child("Object").unwrap().child_text("Key"), Some(text), "{text:?}");
    }
}

#[test]
fn attributes_stand_in_the_start_tag() {
    let mut writer = Writer::new();
    writer.open_with("Grantee", &[("xmlns:xsi", "http://x/\"<"), ("xsi:type", "CanonicalUser")]);
    writer.element("ID", "u");
    assert_eq!(
        String::from_utf8(writer.finish()).unwrap(),
        format!(
            "{PROLOG}<Grantee xmlns:xsi=\"http://x/&quot;&lt;\" xsi:type=\"CanonicalUser\"><ID>u</ID></Grantee>"
        )
    );
}
