//! Files that are complete or absent, and that only their owner reads.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Makes the export's own folder. One that was there with other things in it keeps its rights.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    let ours = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            builder().recursive(true).create(path)?;
            true
        }
        Err(e) => return Err(e),
    };
    if ours { only_owner(path, 0o700) } else { Ok(()) }
}

/// Makes a folder below, with the same rights.
pub(super) fn private_subfolder(path: &Path) -> io::Result<()> {
    match builder().create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

fn builder() -> DirBuilder {
    #[allow(unused_mut, reason = "changed on unix only")]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens a file for reading and writing, made where it is missing; nothing in it is changed.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Elsewhere than on unix the folder inherits the rights of the user's own folders.
#[cfg_attr(not(unix), allow(unused_variables, clippy::unnecessary_wraps))]
fn only_owner(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = fs::metadata(path)?.permissions();
        if rights.mode() & 0o777 != mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

/// What is being written. No file of a mail has such a name: theirs begin with no point.
const BESIDE: &str = ".threadline.tmp";

/// Writes beside and renames: after a crash the file is whole or not there.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_file_name(BESIDE);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    match written.and_then(|()| fs::rename(&beside, path)) {
        Ok(()) => Ok(()),
        Err(e) => {
            // Half a file must not eat the room that is missing; the first error is the one to tell.
            drop(fs::remove_file(&beside));
            Err(e)
        }
    }
}

/// Makes renames and new names last. Windows has no such call: its file system journals them.
#[cfg_attr(not(unix), allow(unused_variables, clippy::unnecessary_wraps))]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    Ok(())
}

/// The message without the Bcc and Resent-Bcc fields of its header (RFC 5322 §3.6.3). All else stays as it is,
/// byte by byte.
pub(super) fn without_bcc(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut kept: Vec<u8> = Vec::new();
    let mut dropped_any = false;
    let mut dropping = false;
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t'));
        if !folded {
            let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii();
            dropping = name.eq_ignore_ascii_case(b"bcc") || name.eq_ignore_ascii_case(b"resent-bcc");
            dropped_any |= dropping;
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
        rest = after;
    }
    if !dropped_any {
        return Cow::Borrowed(raw);
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcc_goes_with_its_folds_and_nothing_else() {
        let raw =
            b"From: a@x\r\nBCC : b@x,\r\n\tc@x\r\nTo: d@x\r\nResent-Bcc: e@x\r\n\r\nBcc: this is text\r\n";
        let want = b"From: a@x\r\nTo: d@x\r\n\r\nBcc: this is text\r\n";
        assert_eq!(without_bcc(raw).as_ref(), want);
        let plain = b"From: a@x\n\nBcc: text";
        assert!(matches!(without_bcc(plain), Cow::Borrowed(_)));
        assert_eq!(without_bcc(b"Bcc: a@x").as_ref(), b"");
        assert_eq!(without_bcc(b"").as_ref(), b"");
    }
}
