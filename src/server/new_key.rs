//! Access keys and secrets that the node makes up.

use zeroize::Zeroizing;

use crate::config::Secret;

/// Length of a generated access key, as AWS makes them.
const ACCESS_KEY_CHARACTERS: usize = 20;
/// Length of a generated secret: 40 characters of nearly 6 bits are 238 bits.
const SECRET_KEY_CHARACTERS: usize = 40;

const ACCESS_KEY_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// No `/` and no `+`: the secret is pasted into shells, URLs and configuration files.
const SECRET_KEY_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(crate) fn access_key() -> Result<String, getrandom::Error> {
    random_text(ACCESS_KEY_CHARACTERS, ACCESS_KEY_ALPHABET)
}

pub(crate) fn secret_key() -> Result<Secret, getrandom::Error> {
    random_text(SECRET_KEY_CHARACTERS, SECRET_KEY_ALPHABET).map(Secret::new)
}

/// Text of evenly distributed characters: bytes beyond the last whole multiple of the alphabet are thrown away.
fn random_text(characters: usize, alphabet: &[u8]) -> Result<String, getrandom::Error> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(characters);
    let mut bytes = Zeroizing::new([0u8; 64]);
    while text.len() < characters {
        getrandom::fill(bytes.as_mut_slice())?;
        let picked = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(
            picked.take(characters - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    Ok(text)
}
