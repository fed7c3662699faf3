//! Encryption of bodies under keys that customers send: the key, the check by which it is recognised again, and the
//! sealing of frames with AES-256-GCM. And encryption of stored secrets under the node's own key.
//!
//! A leaf: knows neither headers nor records, only keys, salts and bytes. Invariants:
//!
//! - A customer's key is never stored. What is stored is a salt and what HKDF makes of both; neither leads back to the
//!   key nor from one body to another.
//! - Each body has a data key of its own, from a salt of 32 random bytes that is used for no other body. A nonce is
//!   the frame's sequence, so no pair of key and nonce seals twice as long as each frame of a body is sealed once. A
//!   body that is written again is another body with another salt.
//! - A frame opens only in its place: sequence, length and whether it is the last are authenticated with its bytes. So
//!   frames cannot be swapped, cut or moved to another body, nor a body shortened. The name of the object is not bound:
//!   a rename or a copy under the same key shares the bytes.
//! - A stored secret opens only under the name for which it was sealed, and each has a random nonce.
//! - Keys and what is expanded from them are wiped when dropped, and neither shown nor cloned.

mod body_seal;
mod customer_key;
mod node_key;

pub use body_seal::{BodySeal, FrameAad, Unsealed};
pub use customer_key::{CustomerKey, KeyCheck};
pub use node_key::{NodeKey, SealedSecret, SecretUnopened};

/// Bytes of a customer's key, of what is derived from it, and of the node's key: AES-256.
pub const KEY_BYTES: usize = 32;

/// Bytes of every salt.
pub const SALT_BYTES: usize = 32;
