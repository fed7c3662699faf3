use super::*;

/// The presigned GET of AWS's documentation ("Authenticating Requests: Using Query Parameters").
#[test]
fn the_documented_example_signs_alike() {
    let signer = Signer {
        access_key: "AKIAIOSFODNN7EXAMPLE",
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1",
    };
    let host = "examplebucket.s3.amazonaws.com";
    let target = signer.presign("GET", host, "/test.txt", "20130524T000000Z", 86400);
    let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert!(target.ends_with(&format!("&X-Amz-Signature={signature}")), "{target}");
    assert!(
        target.contains("X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request")
    );
}

#[test]
fn the_date_has_the_compact_form() {
    let date = date_now();
    assert_eq!(date.len(), 16);
    assert!(date.ends_with('Z') && date.as_bytes()[8] == b'T');
}
