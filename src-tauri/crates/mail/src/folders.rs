//! Which folders are watched: by what the server says they are for (RFC 6154), else by their names.
//!
//! Names count only among the person's own folders. Which those are is read from the names too: the library behind the
//! session breaks over the answer to NAMESPACE (RFC 2342), which costs the connection.

use crate::session::Folder;
use std::collections::BTreeSet;
use threadline_core::arrival::is_log_folder;
use threadline_core::reason::{Evidence, Phase, Signal};

/// The folders of one mailbox that are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub inbox: Folder,
    /// Every folder of sent mail, in the server's order. Empty where none is known, and where `all` holds them.
    pub sent: Vec<Folder>,
    /// Gmail's All Mail: everything but Spam and Trash. Where it is there, it is watched instead of the others.
    pub all: Option<Folder>,
    /// The folder `Threadline/Log`, where the person has one: what is put into it is to be logged (PRODUCT B5).
    pub log: Option<Folder>,
    /// How each folder of `sent` was found, in the same order.
    pub why: Vec<Why>,
    /// The folder of sent mail that the person named, whether it is there or not.
    pub(crate) named: Option<String>,
}

/// How a folder was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The person named it.
    Named,
    /// The server says so.
    SpecialUse,
    /// It has the name that a mail program or a provider gives to it.
    Name,
    /// The first whose name contains "sent".
    NameContains,
}

impl Watched {
    /// How the server names the folders that are to be watched.
    pub(crate) fn names(&self) -> BTreeSet<Vec<u8>> {
        let chosen = match &self.all {
            Some(all) => std::slice::from_ref(all),
            None => std::slice::from_ref(&self.inbox),
        };
        chosen.iter().chain(&self.sent).chain(&self.log).map(|f| f.raw.clone()).collect()
    }

    /// What to say where no folder of sent mail is known; INBOX works all the same.
    pub fn sent_unknown(&self) -> Option<Evidence> {
        (self.sent.is_empty() && self.all.is_none())
            .then(|| Evidence::new(Phase::Select, Signal::SentFolderUnknown, ""))
    }
}

/// Chooses among the folders of a mailbox. `gmail` asks for All Mail; where that is hidden, as its settings allow, INBOX
/// and Sent are taken as everywhere else. `named` is the folder that the person says holds sent mail: it counts before all
/// others, as long as it is there.
pub fn watched(folders: &[Folder], gmail: bool, named: Option<&str>) -> Watched {
    let inbox =
        folders.iter().find(|f| f.name.eq_ignore_ascii_case("INBOX")).cloned().unwrap_or_else(Folder::inbox);
    let usable: Vec<&Folder> =
        folders.iter().filter(|f| f.selectable && f.raw != inbox.raw && !is_refuse(f)).collect();
    let all = gmail.then(|| usable.iter().find(|f| f.has("\\All")).map(|f| (*f).clone())).flatten();
    let pick = |why: Why, is: &dyn Fn(&Folder) -> bool| -> Vec<(Folder, Why)> {
        usable.iter().filter(|f| is(f)).map(|f| ((*f).clone(), why)).collect()
    };
    let mut sent = Vec::new();
    if all.is_none() {
        sent = pick(Why::Named, &|f| named == Some(f.name.as_str()));
        if sent.is_empty() {
            sent = pick(Why::SpecialUse, &|f| f.has("\\Sent"));
        }
        if sent.is_empty() {
            sent = pick(Why::Name, &|f| is_sent_name(last_part(f)) && !is_foreign(f));
        }
        if sent.is_empty() {
            sent = pick(Why::NameContains, &|f| f.name.to_lowercase().contains("sent") && !is_foreign(f));
            sent.truncate(1);
        }
    }
    let (sent, why) = sent.into_iter().unzip();
    let log = usable.iter().find(|f| is_log_folder(&f.name) && !is_foreign(f)).map(|f| (*f).clone());
    Watched { inbox, sent, all, log, why, named: named.map(str::to_owned) }
}

/// The folders that can be named as the one of sent mail.
pub fn nameable(folders: &[Folder]) -> impl Iterator<Item = &Folder> {
    folders.iter().filter(|f| f.selectable && !f.name.eq_ignore_ascii_case("INBOX") && !is_refuse(f))
}

/// Spam, Trash and Drafts, by attribute or by name; and what lies below them.
fn is_refuse(folder: &Folder) -> bool {
    ["\\Junk", "\\Trash", "\\Drafts"].iter().any(|a| folder.has(a))
        || parts(folder).any(|part| REFUSE.contains(&fold(part).as_str()))
}

/// Below another person's or everybody's folders, as servers name the place where they show them.
fn is_foreign(folder: &Folder) -> bool {
    let mut parts = parts(folder);
    let Some(first) = parts.next() else { return false };
    // RFC 2342 §6: `#` begins a namespace, `~` another person's home.
    first.starts_with(['#', '~']) || (parts.next().is_some() && FOREIGN.contains(&fold(first).as_str()))
}

fn parts(folder: &Folder) -> impl Iterator<Item = &str> {
    let delimiter = folder.delimiter.unwrap_or('\0');
    folder.name.split(delimiter)
}

fn last_part(folder: &Folder) -> &str {
    parts(folder).last().unwrap_or_default()
}

fn is_sent_name(name: &str) -> bool {
    SENT.contains(&fold(name).as_str())
}

/// Without case, and with one kind of blank and hyphen.
fn fold(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if matches!(c, '-' | '_' | '\u{a0}') { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Names of folders for sent mail, as Outlook, Apple Mail, Thunderbird, Gmail and providers' web mail write them.
/// In lower case, hyphens and low lines as blanks.
const SENT: &[&str] = &[
    // English
    "sent",
    "sent items",
    "sent mail",
    "sent messages",
    "sent email",
    "sent emails",
    "outgoing",
    // German, Dutch, Scandinavian
    "gesendet",
    "gesendete",
    "gesendete elemente",
    "gesendete objekte",
    "gesendete nachrichten",
    "gesendete mails",
    "gesendete e mails",
    "versendet",
    "postausgang gesendet",
    "verzonden",
    "verzonden items",
    "verzonden berichten",
    "verzonden objecten",
    "verzonden e mail",
    "skickat",
    "skickade",
    "skickade meddelanden",
    "skickade objekt",
    "sendt",
    "sendte",
    "sendte elementer",
    "sendt post",
    "sendte meddelelser",
    "sendte beskeder",
    "sendte e post",
    "lähetetyt",
    "lähetetyt viestit",
    "send hlutir",
    // Romance
    "envoyés",
    "envoyé",
    "messages envoyés",
    "éléments envoyés",
    "objets envoyés",
    "courrier envoyé",
    "inviati",
    "inviata",
    "posta inviata",
    "elementi inviati",
    "messaggi inviati",
    "enviados",
    "enviado",
    "elementos enviados",
    "mensajes enviados",
    "correo enviado",
    "correos enviados",
    "itens enviados",
    "mensagens enviadas",
    "enviadas",
    "enviats",
    "elements enviats",
    "trimise",
    "mesaje trimise",
    "elemente trimise",
    // Slavic, Baltic, Hungarian, Greek, Turkish
    "wysłane",
    "elementy wysłane",
    "wiadomości wysłane",
    "odeslané",
    "odeslaná pošta",
    "odeslané položky",
    "odoslané",
    "odoslaná pošta",
    "odoslané položky",
    "poslano",
    "poslane poruke",
    "poslana pošta",
    "poslane stavke",
    "poslata pošta",
    "отправленные",
    "отправленное",
    "отправленные сообщения",
    "исходящие",
    "надіслані",
    "відправлені",
    "изпратени",
    "изпратена поща",
    "послато",
    "nosūtītās",
    "nosūtītie vienumi",
    "išsiųsti",
    "išsiųsta",
    "išsiųsti laiškai",
    "saadetud",
    "saadetud üksused",
    "elküldött",
    "elküldött elemek",
    "elküldött üzenetek",
    "elküldött levelek",
    "απεσταλμένα",
    "σταλθέντα",
    "gönderilen",
    "gönderilmiş öğeler",
    "gönderilmiş postalar",
    "gönderilenler",
    "gönderilmiş",
    // Asia
    "送信済み",
    "送信済みメール",
    "送信済みアイテム",
    "送信済みトレイ",
    "送信済",
    "已发送",
    "已发送邮件",
    "已发送的邮件",
    "已发邮件",
    "寄件備份",
    "已寄出",
    "寄件匣",
    "寄件備份匣",
    "보낸 편지함",
    "보낸편지함",
    "보낸 메일함",
    "보낸메일함",
    "đã gửi",
    "thư đã gửi",
    "mục đã gửi",
    "terkirim",
    "item terkirim",
    "ส่งแล้ว",
    "รายการที่ส่ง",
    "العناصر المرسلة",
    "المرسلة",
    "البريد المرسل",
    "דואר שנשלח",
    "פריטים שנשלחו",
    "נשלחו",
    "ارسال شده",
    "भेजे गए",
];

/// Names below which servers show folders that are not the person's own: Cyrus's, those of Dovecot's and Courier's
/// handbooks, Exchange's and what web mails make of them.
const FOREIGN: &[&str] = &[
    "user",
    "users",
    "other users",
    "shared",
    "shared folders",
    "shared mailboxes",
    "public",
    "public folders",
    "delegated",
    "andere benutzer",
    "freigegeben",
    "freigegebene ordner",
    "geteilt",
    "geteilte ordner",
    "öffentlich",
    "öffentliche ordner",
    "autres utilisateurs",
    "dossiers partagés",
    "dossiers publics",
];

/// Names of folders that are never watched.
const REFUSE: &[&str] = &[
    "trash",
    "deleted",
    "deleted items",
    "deleted messages",
    "bin",
    "junk",
    "junk e mail",
    "junk email",
    "junk mail",
    "spam",
    "bulk mail",
    "drafts",
    "draft",
    "papierkorb",
    "gelöschte elemente",
    "gelöschte objekte",
    "gelöscht",
    "entwürfe",
    "junk e mails",
    "spamverdacht",
    "corbeille",
    "éléments supprimés",
    "brouillons",
    "courrier indésirable",
    "indésirables",
    "cestino",
    "posta eliminata",
    "bozze",
    "posta indesiderata",
    "papelera",
    "elementos eliminados",
    "borradores",
    "correo no deseado",
    "lixeira",
    "rascunhos",
    "lixo eletrônico",
    "prullenbak",
    "verwijderde items",
    "concepten",
    "ongewenste e mail",
    "papperskorg",
    "utkast",
    "skräppost",
    "kosz",
    "elementy usunięte",
    "wersje robocze",
    "koš",
    "koncepty",
    "корзина",
    "черновики",
    "спам",
    "удаленные",
    "удалённые",
    "ゴミ箱",
    "下書き",
    "迷惑メール",
    "已删除邮件",
    "已删除",
    "草稿",
    "草稿箱",
    "垃圾邮件",
    "垃圾箱",
    "휴지통",
    "임시보관함",
    "스팸메일함",
    "çöp kutusu",
    "taslaklar",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox_name::decode;

    fn folder(raw: &str, delimiter: char, attributes: &[&str]) -> Folder {
        Folder {
            name: decode(raw.as_bytes()),
            raw: raw.as_bytes().to_vec(),
            delimiter: Some(delimiter),
            attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
            selectable: !attributes.contains(&"\\Noselect"),
        }
    }

    fn sent(folders: &[Folder]) -> Vec<(String, Why)> {
        let watched = watched(folders, false, None);
        assert_eq!(watched.sent.is_empty(), watched.sent_unknown().is_some());
        watched.sent.into_iter().map(|f| f.name).zip(watched.why).collect()
    }

    #[test]
    fn special_use_comes_first_and_all_of_it_counts() {
        let folders = [
            folder("INBOX", '/', &[]),
            folder("Sent", '/', &[]),
            folder("Mine", '/', &["\\sEnT"]),
            folder("Theirs", '/', &["\\Sent", "\\HasNoChildren"]),
            folder("Off", '/', &["\\Sent", "\\Noselect"]),
        ];
        assert_eq!(
            sent(&folders),
            [("Mine".to_owned(), Why::SpecialUse), ("Theirs".to_owned(), Why::SpecialUse)]
        );
    }

    #[test]
    fn names_in_many_languages_are_known() {
        for (raw, delimiter) in [
            ("Sent", '/'),
            ("SENT ITEMS", '/'),
            ("Sent-Mail", '/'),
            ("sent_mail", '/'),
            ("INBOX.Sent", '.'),
            ("INBOX.Sent Messages", '.'),
            ("Mail/Gesendet", '/'),
            ("Gesendete Elemente", '/'),
            ("Gesendete Objekte", '/'),
            ("Envoy&AOk-s", '/'),
            ("&AMk-l&AOk-ments envoy&AOk-s", '/'),
            ("Inviati", '/'),
            ("Posta inviata", '/'),
            ("Enviados", '/'),
            ("Elementos enviados", '/'),
            ("Verzonden", '/'),
            ("Skickat", '/'),
            ("Wys&AUI-ane", '/'),
            ("Odeslan&AOk-", '/'),
            ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", '|'),
            ("&kAFP4W4IMH8-", '/'),
            ("&XfJT0ZAB-", '/'),
        ] {
            let found = sent(&[folder("INBOX", delimiter, &[]), folder(raw, delimiter, &[])]);
            assert_eq!(found, [(decode(raw.as_bytes()), Why::Name)]);
        }
    }

    #[test]
    fn the_first_that_contains_sent_is_the_last_resort() {
        let folders = [
            folder("INBOX", '/', &[]),
            folder("Trash/Sent", '/', &[]),
            folder("Mail I sent", '/', &[]),
            folder("Presents", '/', &[]),
        ];
        assert_eq!(sent(&folders), [("Mail I sent".to_owned(), Why::NameContains)]);
    }

    #[test]
    fn names_count_only_among_ones_own_folders() {
        for (foreign, delimiter) in [
            ("Shared/bob@x.example/Sent", '/'),
            ("shared.bob.Sent Items", '.'),
            ("user.bob.Sent", '.'),
            ("Other Users/bob/Gesendet", '/'),
            ("Public Folders/Team/Sent", '/'),
            ("#shared/team/Sent", '/'),
            ("~bob/Sent", '/'),
            ("Shared/bob/Mail I sent", '/'),
        ] {
            let folders = [folder("INBOX", delimiter, &[]), folder(foreign, delimiter, &[])];
            assert_eq!(sent(&folders), [], "{foreign}");
        }
        // What the server says goes before names, and a folder of one's own may bear any of them.
        assert_eq!(sent(&[folder("Shared/me/Sent", '/', &["\\Sent"])]).len(), 1);
        let own = [folder("Archive/Shared/Sent", '/', &[]), folder("Shared", '/', &[])];
        assert_eq!(sent(&own), [("Archive/Shared/Sent".to_owned(), Why::Name)]);
    }

    #[test]
    fn a_folder_that_the_person_named_goes_first_while_it_is_there() {
        let folders = [
            folder("INBOX", '/', &[]),
            folder("Sent", '/', &["\\Sent"]),
            folder("Ausgang 2026", '/', &[]),
            folder("Trash", '/', &[]),
        ];
        let found = watched(&folders, false, Some("Ausgang 2026"));
        assert_eq!((found.sent.len(), found.sent[0].name.as_str()), (1, "Ausgang 2026"));
        assert_eq!(found.why, [Why::Named]);
        assert_eq!(watched(&folders, false, Some("Gone")).why, [Why::SpecialUse]);
        assert_eq!(watched(&folders, false, Some("Trash")).why, [Why::SpecialUse]);
        let names: Vec<&str> = nameable(&folders).map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["Sent", "Ausgang 2026"]);
    }

    #[test]
    fn refuse_is_never_taken() {
        let folders = [
            folder("INBOX", '.', &[]),
            folder("INBOX.Trash.Sent", '.', &[]),
            folder("Sent", '.', &["\\Trash"]),
            folder("Unsent", '.', &["\\Drafts"]),
            folder("Papierkorb.Gesendet", '.', &[]),
        ];
        assert_eq!(sent(&folders), []);
        let evidence = watched(&folders, false, None).sent_unknown().unwrap();
        assert_eq!(
            threadline_core::reason::classify(&evidence),
            threadline_core::reason::Reason::SentFolderUnknown
        );
    }

    #[test]
    fn gmail_has_all_mail_instead() {
        let mut folders = vec![
            folder("INBOX", '/', &[]),
            folder("[Gmail]", '/', &["\\Noselect"]),
            folder("[Gmail]/Alle Nachrichten", '/', &["\\All"]),
            folder("[Gmail]/Gesendet", '/', &["\\Sent"]),
        ];
        let found = watched(&folders, true, None);
        assert_eq!(found.all.as_ref().unwrap().name, "[Gmail]/Alle Nachrichten");
        assert!(found.sent.is_empty() && found.sent_unknown().is_none());
        folders.remove(2);
        assert_eq!(sent(&folders), [("[Gmail]/Gesendet".to_owned(), Why::SpecialUse)]);
        assert_eq!(watched(&folders, true, None).sent.len(), 1);
    }

    #[test]
    fn an_inbox_that_is_not_listed_is_there_all_the_same() {
        assert_eq!(watched(&[], false, None).inbox, Folder::inbox());
        assert_eq!(watched(&[folder("inbox", '/', &[])], false, None).inbox.raw, b"inbox");
    }

    #[test]
    fn the_lists_are_written_as_they_are_compared() {
        for name in SENT.iter().chain(REFUSE).chain(FOREIGN) {
            assert_eq!(fold(name), *name);
        }
        assert!(!SENT.iter().any(|name| REFUSE.contains(name)));
    }
}
