use super::*;
use crate::config::limits::POLICY_BYTES_MAX;

fn document() -> Rc<Document> {
    let text = br#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    Rc::new(Document::parse(text, Layer::Bucket("some-bucket")).unwrap())
}

#[test]
fn what_is_kept_is_bounded_by_number_and_by_bytes() {
    for (text_bytes, most) in
        [(80, PARSED_POLICIES_MAX), (POLICY_BYTES_MAX, PARSED_POLICIES_BYTES_MAX / POLICY_BYTES_MAX)]
    {
        let mut parsed = Parsed::default();
        let mut seen = 0;
        for id in 0..1000 {
            parsed.keep(id, id, document(), text_bytes);
            assert!(parsed.by_bucket.contains_key(&id), "the last one is kept");
            seen = seen.max(parsed.by_bucket.len());
        }
        assert_eq!(seen, most);
    }
}
