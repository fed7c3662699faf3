//! MD5, for ETags and `Content-MD5` only: never a defence against anybody.

use md5::Digest as _;

#[derive(Clone, Debug, Default)]
pub struct Md5(md5::Md5);

impl Md5 {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> [u8; 16] {
        self.0.finalize().into()
    }
}
