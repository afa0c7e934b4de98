//! Making the folder `Threadline/Log`.

use crate::error::MailError;
use crate::mailbox_name;
use crate::session::{Folder, Session};
use threadline_core::reason::Phase;

impl Session {
    /// Makes the folder `Threadline/Log`, with the server's own separator and where it keeps the person's folders, and subscribes
    /// to it, so that mail programs show it. Gives its name. `folders` are all that there are.
    pub async fn make_log_folder(&mut self, folders: &[Folder]) -> Result<String, MailError> {
        self.leave_idle();
        let mut refused = None;
        for name in names(folders) {
            let Some(quoted) = mailbox_name::quoted(name.as_bytes()) else { continue };
            let command = |word: &str| [word.as_bytes(), b" ", &quoted].concat();
            let tag = self.wire.queue(&command("CREATE"));
            let end = self.wire.finish(&tag, Phase::Select, |_| {}).await?;
            match end.refused {
                Some(status) => refused = Some(self.wire.refused(Phase::Select, status, &end.text)),
                None => {
                    // A server without subscriptions shows every folder.
                    self.run(&command("SUBSCRIBE"), Phase::Select).await?;
                    return Ok(name);
                }
            }
        }
        Err(refused.unwrap_or_else(|| self.malformed(Phase::Select, "The server has no place for a folder.")))
    }
}

/// The names to try. Some servers keep all folders below INBOX (RFC 2342 §5 shows one).
fn names(folders: &[Folder]) -> Vec<String> {
    let delimiter = folders.iter().find_map(|folder| folder.delimiter).unwrap_or('/');
    let plain = format!("Threadline{delimiter}Log");
    let below = format!("INBOX{delimiter}{plain}");
    let inbox = format!("inbox{delimiter}");
    let mut others = folders.iter().filter(|f| !f.name.eq_ignore_ascii_case("INBOX")).peekable();
    let all_below = others.peek().is_some() && others.all(|f| f.name.to_lowercase().starts_with(&inbox));
    if all_below { vec![below, plain] } else { vec![plain, below] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::arrival::is_log_folder;

    fn folder(name: &str, delimiter: char) -> Folder {
        Folder { name: name.to_owned(), delimiter: Some(delimiter), ..Folder::inbox() }
    }

    #[test]
    fn it_is_made_where_the_others_are() {
        let flat = [folder("INBOX", '/'), folder("Sent", '/'), folder("INBOX/x", '/')];
        assert_eq!(names(&flat), ["Threadline/Log", "INBOX/Threadline/Log"]);
        let below = [folder("INBOX", '.'), folder("INBOX.Sent", '.'), folder("inbox.Trash", '.')];
        assert_eq!(names(&below), ["INBOX.Threadline.Log", "Threadline.Log"]);
        assert_eq!(names(&[folder("INBOX", '.')]), ["Threadline.Log", "INBOX.Threadline.Log"]);
        for name in [&flat[..], &below].iter().flat_map(|folders| names(folders)) {
            assert!(is_log_folder(&name), "{name}");
        }
    }
}
