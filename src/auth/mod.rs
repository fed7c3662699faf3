//! Authentication: AWS Signature Version 4 in its header and presigned forms. Pure decisions over a parsed
//! request head, a time and a key ring; no I/O, no clock.
//!
//! Invariants: an [`Identity`] is made here alone, after its signature was compared in constant time; the
//! payload hash that the signature covers comes back as a [`PayloadSeal`], and a body is authentic only once
//! its seal was checked against the bytes. Secrets are wiped when dropped and never formatted.
//!
//! Called by the request pipeline, once for each request; [`ChunkSigner`] also by the aws-chunked decoder.
//! The region of a credential scope is not checked: clients sign with whatever region they were given.

mod clock_skew;
mod credential;
mod error;
mod payload_seal;
mod sigv4;

use core::ops::Deref;
use std::sync::Arc;

pub use credential::{Credential, KeyRing, SecretKey};
pub use error::{AuthError, CredentialFault, HeaderFault, QueryFault, SignatureMismatch};
pub use payload_seal::PayloadSeal;
#[cfg(test)]
pub(crate) use sigv4::oracle;
pub use sigv4::{Authenticator, ChunkSigner};

/// The owner of a verified signature.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Credential>);

impl Identity {
    pub fn credential(&self) -> &Arc<Credential> {
        &self.0
    }
}

impl Deref for Identity {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        &self.0
    }
}

/// Who sent a request.
#[derive(Debug)]
pub enum Authentication {
    /// Neither an `Authorization` header nor a presigned URL. [`PayloadSeal::anonymous`] tells its body's seal.
    Anonymous,
    Signed {
        identity: Identity,
        seal: PayloadSeal,
        /// The signature was in the query.
        presigned: bool,
        /// When it was signed, by the sender's clock.
        signed_unix_s: i64,
    },
}
