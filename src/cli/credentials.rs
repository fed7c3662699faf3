//! The root access key that a node makes for itself where the configuration has no key.
//!
//! It lives in `data_dir/credentials` (mode 0600), is made once, and is shown once. Of two processes that start at once
//! both end with the same key.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{AccessKeyConfig, Config, ConfigError};
use crate::server::new_key;
use crate::server::private_file::{self, FileError};

const FILE_NAME: &str = "credentials";
/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: not TOML", path.display())]
    Syntax { path: PathBuf },
    #[error(transparent)]
    Key(#[from] ConfigError),
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// The root key of a data directory and whether it was made just now. Makes the directory where it is missing.
pub fn load_or_create(data_dir: &Path) -> Result<(AccessKeyConfig, bool), CredentialsError> {
    let path = data_dir.join(FILE_NAME);
    if let Some(key) = load(&path)? {
        return Ok((key, false));
    }
    private_file::create_directory(data_dir)?;
    let key = generate()?;
    if create(&path, &key)? {
        return Ok((key, true));
    }
    // Another process was faster; its key is the one that counts.
    match load(&path)? {
        Some(key) => Ok((key, false)),
        None => Err(FileError::new("read", &path, io::ErrorKind::NotFound.into()).into()),
    }
}

/// Prints the new root key and lines to paste for a first bucket and object.
pub fn print_welcome(out: &mut impl Write, config: &Config, key: &AccessKeyConfig) -> io::Result<()> {
    let endpoint = format!("http://{}", reachable(config.listen));
    let file = config.data_dir.join(FILE_NAME);
    let (file, region) = (file.display(), &config.region);
    let (access_key, secret_key) = (&key.access_key, key.secret_key.expose());
    write!(
        out,
        r#"# Ringstone made a root access key. It is kept in {file} and shown only now.
export AWS_ACCESS_KEY_ID={access_key}
export AWS_SECRET_ACCESS_KEY={secret_key}
export AWS_DEFAULT_REGION={region}

# A first bucket and object with aws-cli:
aws --endpoint-url {endpoint} s3 mb s3://first-bucket
echo hello | aws --endpoint-url {endpoint} s3 cp - s3://first-bucket/hello.txt
aws --endpoint-url {endpoint} s3 cp s3://first-bucket/hello.txt -

# The same object with boto3:
python3 -c '
import boto3
s3 = boto3.client("s3", endpoint_url="{endpoint}")
print(s3.get_object(Bucket="first-bucket", Key="hello.txt")["Body"].read())
'

"#
    )?;
    out.flush()
}

/// An address that a client on this machine can use: a listener on all addresses is reached over loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn load(path: &Path) -> Result<Option<AccessKeyConfig>, CredentialsError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::new("read", path, error).into()),
    };
    // The parser's message could quote the secret.
    let table = text.parse().map_err(|_| CredentialsError::Syntax { path: path.to_owned() })?;
    Ok(Some(AccessKeyConfig::from_table(&table, &path.display().to_string())?))
}

/// Writes the file durably. False where there is one already.
fn create(path: &Path, key: &AccessKeyConfig) -> Result<bool, FileError> {
    private_file::create(path, to_toml(key).as_bytes())
}

/// The alphabets hold nothing that TOML would have to escape.
fn to_toml(key: &AccessKeyConfig) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "# Root access key of this node, made on its first start. Used only while the configuration has no\n\
         # [[access_keys]]. Keep it secret.\n\
         access_key = \"{}\"\nsecret_key = \"{}\"\nuser = \"{}\"\ndisplay_name = \"{}\"\norg = \"{}\"\n",
        key.access_key,
        key.secret_key.expose(),
        key.user,
        key.display_name,
        key.org
    ))
}

fn generate() -> Result<AccessKeyConfig, CredentialsError> {
    Ok(AccessKeyConfig {
        access_key: new_key::access_key().map_err(CredentialsError::Random)?,
        secret_key: new_key::secret_key().map_err(CredentialsError::Random)?,
        user: "main".to_owned(),
        display_name: "main".to_owned(),
        org: "org-main".to_owned(),
    })
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
