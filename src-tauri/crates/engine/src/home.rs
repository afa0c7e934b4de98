//! The data folder: where it lies, who holds it, and the key of the ledger in it.

use crate::error::EngineError;
use crate::files::OPENED;
use jiff::Timestamp;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use threadline_secrets::Secrets;
use threadline_store::{Key, Ledger};
use zeroize::Zeroizing;

/// How often a folder that is locked is tried again, and after how long.
const TRIES: u32 = 5;
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

const LEDGER: &str = "ledger.db";
/// The file with the id of the ledger's key in the keychain.
const KEY_ID: &str = "key-id";
/// The ids of the keys of ledgers that were set aside, a line each: a key can come back from another session's keychain.
const OLD_KEY_IDS: &str = "old-key-ids";
/// Locked by whoever asks for a new access token: a refresh token serves once.
const TOKENS: &str = "tokens";
/// What lies in a data folder beside the ledgers and the export.
const FILES: &[&str] = &[KEY_ID, OLD_KEY_IDS, TOKENS, "holder", "opening", "id", "lock"];

/// A data folder. Several processes may read one; one at a time may hold it (see [`Hold`]).
#[derive(Debug, Clone)]
pub struct Home {
    dir: PathBuf,
    /// Tells this folder's entries in the keychain from another's.
    id: String,
}

/// The right to run the engine on a data folder; given back when dropped or when the process ends.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

impl Home {
    /// The platform's own place for a program's data.
    pub fn default_dir() -> Result<PathBuf, EngineError> {
        directories::ProjectDirs::from("app", "Threadline", "Threadline")
            .map(|dirs| dirs.data_local_dir().to_owned())
            .ok_or(EngineError::NoHome)
    }

    /// Opens the folder, making it (private to the user) where it is missing.
    pub fn open(dir: &Path) -> Result<Self, EngineError> {
        let failed = |source| EngineError::Folder { dir: dir.to_owned(), source };
        make_private(dir).map_err(failed)?;
        let dir = dir.canonicalize().map_err(failed)?;
        let path = dir.join("id");
        let id = match std::fs::read_to_string(&path) {
            Ok(id) if is_id(id.trim()) => id.trim().to_owned(),
            Ok(_) => return Err(EngineError::BrokenId { path }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => new_id(&path).map_err(failed)?,
            Err(e) => return Err(failed(e)),
        };
        Ok(Self { dir, id })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the default CRM, a folder of files, lies.
    pub fn default_export_dir(&self) -> PathBuf {
        self.dir.join("crm-folder")
    }

    /// The name of a secret of this data folder in the keychain.
    pub fn secret_name(&self, what: &str) -> String {
        format!("{what}@{}", self.id)
    }

    /// Takes the folder for `who` ("threadline run"), or says who holds it.
    pub fn hold(&self, who: &str) -> Result<Hold, EngineError> {
        let path = self.dir.join("lock");
        let failed = |source| EngineError::Folder { dir: self.dir.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut tries = TRIES;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                // It may be one who only looks whether the folder is held.
                Err(TryLockError::WouldBlock) if tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(EngineError::Held { dir: self.dir.clone(), by: self.holder_name() });
                }
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
        }
        // The holder's name lies in a file of its own: on Windows a locked file cannot be read.
        let holder = format!("{who} (process {})", std::process::id());
        std::fs::write(self.dir.join("holder"), holder).map_err(failed)?;
        file.rewind().map_err(failed)?;
        Ok(Hold { _file: file })
    }

    /// Who holds the folder now; `None` where nobody does.
    pub fn holder(&self) -> Option<String> {
        let file = File::open(self.dir.join("lock")).ok()?;
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| self.holder_name())
    }

    fn holder_name(&self) -> String {
        let by = std::fs::read_to_string(self.dir.join("holder")).unwrap_or_default();
        if by.is_empty() { "another program".to_owned() } else { by }
    }

    /// Opens the ledger with its key from the keychain. A new key is written and read back before the file is made.
    ///
    /// Where the key is gone, the old file is set aside, never overwritten, and its new place is returned. That needs the
    /// folder to be held: by the caller, or by nobody else. The new key has a name of its own, so that the old one serves
    /// again where it comes back.
    pub fn open_ledger(
        &self,
        secrets: &dyn Secrets,
        now: Timestamp,
        hold: Option<&Hold>,
    ) -> Result<(Ledger, Option<PathBuf>), EngineError> {
        let path = self.dir.join(LEDGER);
        let failed = |source| EngineError::Folder { dir: self.dir.clone(), source };
        // One process at a time opens: it makes the key and the tables, and the next one finds both.
        let door =
            OpenOptions::new().create(true).append(true).open(self.dir.join("opening")).map_err(failed)?;
        door.lock().map_err(failed)?;
        if let Some(key) = self.key(secrets)? {
            return Ok((Ledger::open(&path, &key)?, None));
        }
        let mut aside = None;
        let mut own_hold = None;
        if path.exists() && hold.is_none() {
            own_hold = Some(self.hold("threadline").map_err(|error| match error {
                EngineError::Held { dir, by } => EngineError::KeyElsewhere { dir, by },
                other => other,
            })?);
        }
        let (id, key) = new_key(|id| self.key_name(id), secrets)?;
        if path.exists() {
            self.remember_old_key().map_err(failed)?;
            aside = Some(threadline_store::move_aside(&path, now)?);
        }
        write_whole(&self.dir.join(KEY_ID), &id).map_err(failed)?;
        let ledger = Ledger::open(&path, &key)?;
        drop(own_hold);
        Ok((ledger, aside))
    }

    /// Waits until no other process asks for an access token. Blocks; given back when the file is dropped.
    pub(crate) fn token_door(&self) -> Result<File, EngineError> {
        let failed = |source| EngineError::Folder { dir: self.dir.clone(), source };
        let door =
            OpenOptions::new().create(true).append(true).open(self.dir.join(TOKENS)).map_err(failed)?;
        door.lock().map_err(failed)?;
        Ok(door)
    }

    /// The present ledger's key; `None` where no ledger was made yet, or its key is gone.
    fn key(&self, secrets: &dyn Secrets) -> Result<Option<Key>, EngineError> {
        let path = self.dir.join(KEY_ID);
        let id = match std::fs::read_to_string(&path) {
            Ok(id) if is_id(id.trim()) => id.trim().to_owned(),
            Ok(_) => return Err(EngineError::BrokenId { path }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(EngineError::Folder { dir: self.dir.clone(), source }),
        };
        match secrets.get(&self.key_name(&id))? {
            Some(text) => {
                let bytes = decode_key(&text).ok_or(EngineError::BrokenKey)?;
                Ok(Some(Key::from_bytes(*bytes)))
            }
            None => Ok(None),
        }
    }

    fn key_name(&self, id: &str) -> String {
        self.secret_name(&key_entry(id))
    }

    /// The present key's id goes to those of the ledgers that were set aside.
    fn remember_old_key(&self) -> std::io::Result<()> {
        let id = match std::fs::read_to_string(self.dir.join(KEY_ID)) {
            Ok(id) => id,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e),
        };
        let mut old = OpenOptions::new().create(true).append(true).open(self.dir.join(OLD_KEY_IDS))?;
        writeln!(old, "{}", id.trim())?;
        old.sync_all()
    }

    /// The names of the ledgers' keys in the keychain, before the data folder's own mark; the present one's is the last.
    pub(crate) fn key_names(&self) -> Result<Vec<String>, EngineError> {
        let mut names = Vec::new();
        for file in [OLD_KEY_IDS, KEY_ID] {
            match std::fs::read_to_string(self.dir.join(file)) {
                Ok(text) => names.extend(text.lines().map(str::trim).filter(|id| is_id(id)).map(key_entry)),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(EngineError::Folder { dir: self.dir.clone(), source }),
            }
        }
        Ok(names)
    }

    /// Deletes what lies in the folder: the ledgers, and the export where that is wanted. A folder that is empty then goes
    /// too. The ledger must be closed.
    pub(crate) fn delete(&self, hold: Hold, export: bool) -> Result<(), EngineError> {
        let failed = |source| EngineError::Folder { dir: self.dir.clone(), source };
        for entry in std::fs::read_dir(&self.dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(LEDGER) {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        gone(std::fs::remove_dir_all(self.dir.join(OPENED))).map_err(failed)?;
        if export {
            gone(std::fs::remove_dir_all(self.default_export_dir())).map_err(failed)?;
        }
        // An open file cannot be removed on Windows.
        drop(hold);
        for name in FILES {
            gone(std::fs::remove_file(self.dir.join(name))).map_err(failed)?;
        }
        // What a person put into it stays, and so does the folder then.
        match std::fs::remove_dir(&self.dir) {
            Err(e) if e.kind() != std::io::ErrorKind::DirectoryNotEmpty => gone(Err(e)).map_err(failed),
            _ => Ok(()),
        }
    }
}

/// What a ledger's key is called in the keychain, before the data folder's own mark.
fn key_entry(id: &str) -> String {
    format!("ledger-key-{id}")
}

/// That something was not there is no error: it is gone.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes a key and keeps it in the keychain, under a name that no other ledger had; gives the name's id.
fn new_key(name: impl Fn(&str) -> String, secrets: &dyn Secrets) -> Result<(String, Key), EngineError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|_| EngineError::NoRandomness)?;
    let text: Zeroizing<String> = Zeroizing::new(bytes.iter().map(|b| format!("{b:02x}")).collect());
    let id = random_id().map_err(|_| EngineError::NoRandomness)?;
    secrets.set(&name(&id), &text)?;
    match secrets.get(&name(&id))? {
        Some(back) if *back == *text => Ok((id, Key::from_bytes(*bytes))),
        _ => Err(EngineError::BrokenKey),
    }
}

/// Writes a file that is there whole or not at all.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

fn decode_key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(key)
}

fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn random_id() -> std::io::Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Two processes may come here at once: the first one's id stays.
fn new_id(path: &Path) -> std::io::Result<String> {
    let id = random_id()?;
    let mut fresh = tempfile_beside(path, &id)?;
    fresh.1.write_all(id.as_bytes())?;
    fresh.1.sync_all()?;
    match std::fs::hard_link(&fresh.0, path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(_) => std::fs::rename(&fresh.0, path)?,
    }
    let _ = std::fs::remove_file(&fresh.0);
    let mut text = String::new();
    File::open(path)?.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

fn tempfile_beside(path: &Path, id: &str) -> std::io::Result<(PathBuf, File)> {
    let beside = path.with_file_name(format!("id.{id}"));
    let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
    Ok((beside, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_secrets::Memory;

    #[test]
    fn one_at_a_time_holds_a_folder_and_its_name_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        assert_eq!(home.holder(), None);
        let hold = home.hold("threadline run").unwrap();
        let name = format!("threadline run (process {})", std::process::id());
        assert_eq!(home.holder(), Some(name.clone()));
        let refused = home.hold("threadline run").unwrap_err();
        assert!(refused.to_string().contains(&name), "{refused}");
        drop(hold);
        assert_eq!(home.holder(), None);
        home.hold("threadline run").unwrap();
    }

    #[test]
    fn two_folders_do_not_share_the_names_of_their_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let open = |name: &str| Home::open(&dir.path().join(name)).unwrap();
        assert_eq!(open("a").secret_name("x"), open("a").secret_name("x"));
        assert_ne!(open("a").secret_name("x"), open("b").secret_name("x"));
    }

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        (dir, home)
    }

    fn lose_the_key(home: &Home, secrets: &Memory) {
        let id = std::fs::read_to_string(home.dir().join(KEY_ID)).unwrap();
        secrets.delete(&home.key_name(&id)).unwrap();
    }

    #[test]
    fn a_ledger_whose_key_is_gone_is_set_aside_only_by_who_holds_the_folder() {
        let (_dir, home) = home();
        let secrets = Memory::new();
        let open = |hold| home.open_ledger(&secrets, Timestamp::UNIX_EPOCH, hold);
        drop(open(None).unwrap());
        lose_the_key(&home, &secrets);
        let hold = home.hold("threadline run").unwrap();
        let refused = open(None).unwrap_err();
        assert_eq!(refused.code(), "ledger_key_elsewhere", "{refused}");
        assert!(refused.to_string().contains("threadline run (process"), "{refused}");
        let (_, aside) = open(Some(&hold)).unwrap();
        assert!(aside.unwrap().exists());
        assert!(open(None).unwrap().1.is_none(), "the new ledger has its key");
    }

    #[test]
    fn the_key_of_a_ledger_that_was_set_aside_is_never_overwritten() {
        let (_dir, home) = home();
        let secrets = Memory::new();
        drop(home.open_ledger(&secrets, Timestamp::UNIX_EPOCH, None).unwrap());
        let id = std::fs::read_to_string(home.dir().join(KEY_ID)).unwrap();
        let old = secrets.get(&home.key_name(&id)).unwrap().unwrap();
        lose_the_key(&home, &secrets);
        let (_, aside) = home.open_ledger(&secrets, Timestamp::UNIX_EPOCH, None).unwrap();
        // It comes back, as from another session's keychain.
        assert!(secrets.get(&home.key_name(&id)).unwrap().is_none(), "its name was given to another key");
        let key = Key::from_bytes(*decode_key(&old).unwrap());
        Ledger::open(&aside.unwrap(), &key).unwrap();
    }

    #[test]
    fn two_first_starts_at_once_make_one_key() {
        let (_dir, home) = home();
        let secrets = Memory::new();
        std::thread::scope(|scope| {
            let start =
                || scope.spawn(|| home.open_ledger(&secrets, Timestamp::UNIX_EPOCH, None).map(|o| o.1));
            for started in [start(), start(), start(), start()] {
                assert_eq!(started.join().unwrap().unwrap(), None);
            }
        });
        assert_eq!(secrets.names().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        assert_eq!(std::fs::metadata(home.dir()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
