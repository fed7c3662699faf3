use super::*;

#[test]
fn compares_the_whole_body() {
    let claimed: [u8; 32] = Sha256::digest(b"hello").into();
    let mut right = PayloadHash::new(claimed);
    right.update(b"hel");
    right.update(b"lo");
    assert_eq!(right.finish(), Ok(()));
    let mut wrong = PayloadHash::new(claimed);
    wrong.update(b"hellp");
    let mismatch = wrong.finish().unwrap_err();
    assert_eq!(mismatch.claimed, hex::encode(claimed));
    assert_eq!(mismatch.computed, hex::encode(Sha256::digest(b"hellp")));
}
