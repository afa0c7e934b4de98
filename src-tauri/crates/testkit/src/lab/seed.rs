//! A large mailbox in seconds: written as the server's own files, not through the server.
//!
//! Deterministic: the same user and count give the same bytes. Conversations between the user and some hundred
//! customers, newsletters between them; some messages without Message-ID, or with In-Reply-To alone.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a seeded mailbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeded {
    /// Messages in INBOX.
    pub inbox: usize,
    /// Messages in Sent.
    pub sent: usize,
}

/// Seconds between one message and the next.
const STEP: i64 = 900;
/// The date of the last message: 2026-09-20 12:26:40 UTC.
const END: i64 = 1_789_907_200;

pub(crate) fn write(home: &Path, user: &str, count: usize, maildir: bool) -> Result<Seeded> {
    let mut writer = match maildir {
        true => Writer::maildir(home.join("Maildir"))?,
        false => Writer::mdbox(home.join("mdbox/storage"))?,
    };
    let mut random = Random(0x7468_7265_6164_6c69);
    let mut live: Vec<Conversation> = Vec::new();
    let mut done = Seeded { inbox: 0, sent: 0 };
    let mut number = 0;
    while done.inbox < count {
        number += 1;
        // To every 100 messages in INBOX there are about 45 in Sent.
        let time = END - STEP * (count as i64 * 29 / 20 - number as i64);
        let draw = random.below(100);
        let message = if draw < 20 {
            Message::newsletter(&mut random, user, number, time)
        } else {
            if live.is_empty() || draw < 45 {
                live.push(Conversation::new(&mut random, number));
            }
            // Recent conversations go on; old ones fall asleep.
            let back = random.below(live.len().min(60) as u64) as usize;
            let index = live.len() - 1 - back;
            let message = live[index].next(&mut random, user, number, time);
            if live[index].left == 0 {
                live.remove(index);
            }
            if live.len() > 500 {
                live.remove(0);
            }
            message
        };
        match message.sent {
            true => done.sent += 1,
            false => done.inbox += 1,
        }
        writer.add(&message, time, number)?;
    }
    writer.close()?;
    Ok(done)
}

struct Conversation {
    customer: String,
    subject: String,
    ids: Vec<String>,
    left: u64,
    next_is_ours: bool,
}

impl Conversation {
    fn new(random: &mut Random, number: usize) -> Self {
        let customer = random.below(400);
        Self {
            customer: format!("Customer {customer} <c{customer}@customer{}.example>", customer % 90 + 10),
            subject: format!("{} {number}", sentence(random, 4)),
            ids: Vec::new(),
            left: 1 + random.below(6),
            next_is_ours: random.below(100) < 40,
        }
    }

    fn next(&mut self, random: &mut Random, user: &str, number: usize, time: i64) -> Message {
        let sent = self.next_is_ours;
        self.next_is_ours = !sent && random.below(100) < 60;
        self.left -= 1;
        let own = format!("Example Person <{user}>");
        let (from, to) = match sent {
            true => (own.as_str(), self.customer.as_str()),
            false => (self.customer.as_str(), own.as_str()),
        };
        let id =
            format!("<{:x}.{number}@{}>", random.next(), if sent { "lab.test" } else { "customer.example" });
        let odd = random.below(1_000);
        let mut head = format!("From: {from}\nTo: {to}\n");
        let re = if self.ids.is_empty() { "" } else { "Re: " };
        head.push_str(&format!("Subject: {re}{}\nDate: {}\n", self.subject, date(time)));
        if odd != 0 {
            head.push_str(&format!("Message-ID: {id}\n"));
        }
        if let Some(parent) = self.ids.last() {
            head.push_str(&format!("In-Reply-To: {parent}\n"));
            if odd > 100 {
                head.push_str(&format!("References: {}\n", self.ids.join("\n ")));
            }
        }
        self.ids.push(id);
        Message { sent, text: finish(random, head) }
    }
}

struct Message {
    sent: bool,
    text: Vec<u8>,
}

impl Message {
    fn newsletter(random: &mut Random, user: &str, number: usize, time: i64) -> Self {
        let list = random.below(300);
        let head = format!(
            "From: News {list} <no-reply@list{list}.example>\nTo: {user}\nSubject: {} {number}\nDate: {}\n\
             Message-ID: <n{number}@list{list}.example>\nList-Id: <news.list{list}.example>\nPrecedence: bulk\n",
            sentence(random, 6),
            date(time)
        );
        Self { sent: false, text: finish(random, head) }
    }
}

/// The body, 0.6 to about 6 KB of text and HTML.
fn finish(random: &mut Random, head: String) -> Vec<u8> {
    let mut text = head;
    let border = format!("=_{:x}", random.next());
    text.push_str(&format!(
        "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"{border}\"\n\n\
         --{border}\nContent-Type: text/plain; charset=utf-8\n\n"
    ));
    let paragraphs: Vec<String> = (0..2 + random.below(8)).map(|_| sentence(random, 30)).collect();
    text.push_str(&paragraphs.join("\n\n"));
    text.push_str(&format!("\n--{border}\nContent-Type: text/html; charset=utf-8\n\n<html><body>\n"));
    for paragraph in &paragraphs {
        text.push_str(&format!("<p>{paragraph}</p>\n"));
    }
    text.push_str(&format!("</body></html>\n--{border}--\n"));
    text.into_bytes()
}

fn sentence(random: &mut Random, words: u64) -> String {
    const WORDS: [&str; 32] = [
        "offer",
        "review",
        "before",
        "Friday",
        "delivery",
        "terms",
        "pricing",
        "renewal",
        "budget",
        "quarter",
        "team",
        "meeting",
        "agenda",
        "contract",
        "customer",
        "invoice",
        "order",
        "schedule",
        "demo",
        "Grüße",
        "Angebot",
        "Lieferung",
        "bitte",
        "prüfen",
        "réunion",
        "délai",
        "facture",
        "umowa",
        "spotkanie",
        "zespół",
        "please",
        "confirm",
    ];
    let mut text = String::new();
    for n in 0..words {
        if n > 0 {
            text.push(' ');
        }
        text.push_str(WORDS[random.below(32) as usize]);
    }
    text
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }
}

enum Writer {
    Maildir(PathBuf),
    /// One open file for INBOX and one for Sent, and the number of the last file made. A file holds messages of one
    /// folder: `force-resync` opens the folder again at each change, and crawls where they are mixed.
    Mdbox {
        storage: PathBuf,
        files: [Option<(BufWriter<File>, usize)>; 2],
        last: usize,
    },
}

/// A new file of dbox storage is begun after so many bytes.
const ROTATE: usize = 60 << 20;

impl Writer {
    fn maildir(dir: PathBuf) -> Result<Self> {
        for folder in ["cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"] {
            std::fs::create_dir_all(dir.join(folder))?;
        }
        Ok(Self::Maildir(dir))
    }

    fn mdbox(storage: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&storage)?;
        Ok(Self::Mdbox { storage, files: [None, None], last: 0 })
    }

    fn add(&mut self, message: &Message, time: i64, number: usize) -> Result<()> {
        let text = &message.text;
        let with_crlf = text.len() + text.iter().filter(|b| **b == b'\n').count();
        match self {
            Self::Maildir(dir) => {
                let folder = if message.sent { ".Sent/cur" } else { "cur" };
                let name = format!("{time}.M{number}P1.lab,S={},W={with_crlf}:2,S", text.len());
                let path = dir.join(folder).join(name);
                std::fs::write(&path, text)?;
                let when = std::time::UNIX_EPOCH + std::time::Duration::from_secs(time.unsigned_abs());
                File::options().write(true).open(&path)?.set_modified(when)?;
            }
            Self::Mdbox { storage, files, last } => {
                let slot = &mut files[usize::from(message.sent)];
                if slot.as_ref().is_none_or(|(_, size)| *size > ROTATE) {
                    *last += 1;
                    let mut file =
                        BufWriter::with_capacity(1 << 20, File::create(storage.join(format!("m.{last}")))?);
                    // The header of a dbox file, format 2: message headers of 0x1e bytes, and the time it was made.
                    writeln!(file, "2 M1e C{time:08x}")?;
                    if let Some((mut old, _)) = slot.replace((file, 0)) {
                        old.flush()?;
                    }
                }
                let (file, size) = slot.as_mut().context("a file was just opened")?;
                file.write_all(b"\x01\x02N          ")?;
                writeln!(file, "{:016X}", text.len())?;
                file.write_all(text)?;
                let folder = if message.sent { "Sent" } else { "INBOX" };
                write!(file, "\n\x01\x03\nR{time:08x}\nV{with_crlf:x}\nG{number:032x}\nB{folder}\n\n")?;
                *size += text.len();
            }
        }
        Ok(())
    }

    fn close(self) -> Result<()> {
        if let Self::Mdbox { files, .. } = self {
            for (mut file, _) in files.into_iter().flatten() {
                file.flush()?;
            }
        }
        Ok(())
    }
}
