//! The root access key that a node makes for itself where the configuration has no key.
//!
//! It lives in `data_dir/credentials` (mode 0600), is made once, and is shown once. The file appears whole or
//! not at all: it is written under another name, made durable, and only then linked to its own name. The link
//! fails where the name exists, so of two processes that start at once both end with the same key.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{AccessKeyConfig, Config, ConfigError, Secret};

const FILE_NAME: &str = "credentials";
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o750;

/// Length of a generated access key, as AWS makes them.
const ACCESS_KEY_CHARACTERS: usize = 20;
/// Length of a generated secret: 40 characters of 6 bits are 240 bits.
const SECRET_KEY_CHARACTERS: usize = 40;

const ACCESS_KEY_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// No `/` and no `+`: the secret is pasted into shells, URLs and configuration files.
const SECRET_KEY_ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("cannot {operation} {}", path.display())]
    File { operation: &'static str, path: PathBuf, source: io::Error },
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
    create_directory(data_dir)?;
    let key = generate()?;
    if create(data_dir, &path, &key)? {
        return Ok((key, true));
    }
    // Another process was faster; its key is the one that counts.
    match load(&path)? {
        Some(key) => Ok((key, false)),
        None => Err(file_error("read", &path)(io::ErrorKind::NotFound.into())),
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
        Err(error) => return Err(file_error("read", path)(error)),
    };
    // The parser's message could quote the secret.
    let table = text.parse().map_err(|_| CredentialsError::Syntax { path: path.to_owned() })?;
    Ok(Some(AccessKeyConfig::from_table(&table, &path.display().to_string())?))
}

/// Makes the directory and those above it that are missing, each durable in its parent: the key that goes in
/// there will be handed out.
fn create_directory(directory: &Path) -> Result<(), CredentialsError> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create_directory(parent)?;
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(file_error("create", directory)(error));
        }
        _ => {}
    }
    sync_directory(parent)
}

/// Writes the file durably. False where there is one already.
fn create(directory: &Path, path: &Path, key: &AccessKeyConfig) -> Result<bool, CredentialsError> {
    let temporary = directory.join(format!("{FILE_NAME}.{}.new", std::process::id()));
    // Left behind by a process of the same number that was killed here.
    remove_if_present(&temporary)?;
    let linked = write_durably(&temporary, &to_toml(key))
        .map_err(file_error("write", &temporary))
        .and_then(|()| link(&temporary, path));
    remove_if_present(&temporary)?;
    let linked = linked?;
    sync_directory(directory)?;
    Ok(linked)
}

fn write_durably(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn link(temporary: &Path, path: &Path) -> Result<bool, CredentialsError> {
    match fs::hard_link(temporary, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(file_error("create", path)(error)),
    }
}

fn remove_if_present(path: &Path) -> Result<(), CredentialsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file_error("remove", path)(error)),
        _ => Ok(()),
    }
}

fn sync_directory(directory: &Path) -> Result<(), CredentialsError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(file_error("sync", directory))
}

fn file_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CredentialsError {
    move |source| CredentialsError::File { operation, path: path.to_owned(), source }
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
        access_key: random_text(ACCESS_KEY_CHARACTERS, ACCESS_KEY_ALPHABET)?,
        secret_key: Secret::new(random_text(SECRET_KEY_CHARACTERS, SECRET_KEY_ALPHABET)?),
        user: "main".to_owned(),
        display_name: "main".to_owned(),
        org: "org-main".to_owned(),
    })
}

/// Text of evenly distributed characters: bytes beyond the last whole multiple of the alphabet are thrown away.
fn random_text(characters: usize, alphabet: &[u8]) -> Result<String, CredentialsError> {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(characters);
    let mut bytes = Zeroizing::new([0u8; 64]);
    while text.len() < characters {
        getrandom::fill(bytes.as_mut_slice()).map_err(CredentialsError::Random)?;
        let picked = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(
            picked.take(characters - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    Ok(text)
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
