//! SigV4 presigning, once for each key before the run, so that the client's own hashing is no part of
//! the measurement. Own code: the judge must not share it with the judged.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Access key, secret and region of a run.
pub(crate) struct Signer<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
    pub(crate) region: &'a str,
}

impl Signer<'_> {
    /// Path and query of a presigned request. `path` is already percent-encoded, `date` has the form
    /// `20261124T101500Z`.
    pub(crate) fn presign(&self, method: &str, host: &str, path: &str, date: &str, expires_s: u32) -> String {
        let day = &date[..8];
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let credential = encode(&format!("{}/{scope}", self.access_key));
        // In the order of the names, as the canonical form wants it.
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={date}\
             &X-Amz-Expires={expires_s}&X-Amz-SignedHeaders=host"
        );
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        let signature = hex::encode(hmac(&self.key(day), &text));
        format!("{path}?{query}&X-Amz-Signature={signature}")
    }

    fn key(&self, day: &str) -> [u8; 32] {
        let secret = format!("AWS4{}", self.secret_key);
        let day_key = hmac(secret.as_bytes(), day);
        let region_key = hmac(&day_key, self.region);
        hmac(&hmac(&region_key, "s3"), "aws4_request")
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Percent-encodes a query value.
fn encode(value: &str) -> String {
    let encode_byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    value.bytes().map(encode_byte).collect()
}

/// The present time in the form that SigV4 wants.
pub(crate) fn date_now() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
