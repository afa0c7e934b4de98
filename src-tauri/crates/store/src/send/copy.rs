//! The sender's own copy of a mail that was sent.

use super::{SELECT, Sending};
use crate::error::StoreError;
use crate::sql::{maybe_named, maybe_time, time, us};
use crate::tx::Tx;
use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

/// Where the copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case", rename = "SendCopy")]
pub enum Copy {
    /// It is not settled yet.
    Open,
    /// The provider has filed it, or will.
    Filed,
    /// It was put there.
    Appended,
    /// None is wanted, or there is no folder for it.
    None,
    /// It could not be put there; it is tried again.
    Failed,
}

impl Copy {
    pub fn name(self) -> &'static str {
        match self {
            Copy::Open => "open",
            Copy::Filed => "filed",
            Copy::Appended => "appended",
            Copy::None => "none",
            Copy::Failed => "failed",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Copy::Open, Copy::Filed, Copy::Appended, Copy::None, Copy::Failed]
            .into_iter()
            .find(|copy| copy.name() == name)
    }
}

/// The rule by which it was settled (PRODUCT R15), in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CopyRule {
    /// The person wants none.
    Unwanted,
    /// The provider is known to file it itself.
    Provider,
    /// It lay there by its Message-ID: the provider files it itself.
    Found,
    /// The person named the folder.
    Named,
    /// The server says that the folder is for sent mail (`\Sent`).
    SpecialUse,
    /// The folder has a name that mail programs give to it, in whichever language.
    Name,
    /// The first folder whose name contains "sent".
    NameContains,
    /// There is no folder for sent mail.
    NoFolder,
}

impl CopyRule {
    pub const ALL: &[CopyRule] = &[
        CopyRule::Unwanted,
        CopyRule::Provider,
        CopyRule::Found,
        CopyRule::Named,
        CopyRule::SpecialUse,
        CopyRule::Name,
        CopyRule::NameContains,
        CopyRule::NoFolder,
    ];

    pub fn name(self) -> &'static str {
        match self {
            CopyRule::Unwanted => "unwanted",
            CopyRule::Provider => "provider",
            CopyRule::Found => "found",
            CopyRule::Named => "named",
            CopyRule::SpecialUse => "special_use",
            CopyRule::Name => "name",
            CopyRule::NameContains => "name_contains",
            CopyRule::NoFolder => "no_folder",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }

    /// One sentence for a person.
    pub fn explanation(self) -> &'static str {
        match self {
            CopyRule::Unwanted => "You want no copy to be added.",
            CopyRule::Provider => "The provider files each sent mail itself.",
            CopyRule::Found => "It lay there already: the provider files it itself.",
            CopyRule::Named => "You named this folder for sent mail.",
            CopyRule::SpecialUse => "The server says that this folder is for sent mail.",
            CopyRule::Name => "The folder has the name of one for sent mail.",
            CopyRule::NameContains => "It is the first folder whose name contains \"sent\".",
            CopyRule::NoFolder => {
                "No folder for sent mail was found. Name one with `threadline account set --sent-folder`."
            }
        }
    }
}

/// How the copy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub copy: Copy,
    pub rule: Option<CopyRule>,
    /// By its name on the server.
    pub folder: Option<String>,
    /// How often it was tried to put it there.
    pub tries: u32,
    /// When it is looked after again, where it is open or has failed.
    pub due: Option<Timestamp>,
    /// Why it failed last.
    pub words: Option<String>,
}

pub(super) fn read(row: &Row<'_>, copy: Copy) -> rusqlite::Result<Copied> {
    Ok(Copied {
        copy,
        rule: maybe_named(row, "copy_rule", CopyRule::from_name)?,
        folder: row.get("copy_folder")?,
        tries: row.get("copy_tries")?,
        due: maybe_time(row, "copy_due")?,
        words: row.get("copy_words")?,
    })
}

/// The mailbox's mails whose copy is to be looked after, the longest due first.
pub fn copies_due(tx: &Tx<'_>, account: i64, now: Timestamp) -> Result<Vec<Sending>, StoreError> {
    tx.all(
        &format!(
            "{SELECT} WHERE account = ?1 AND copy IN ('open', 'failed') AND copy_due <= ?2 ORDER BY copy_due, id"
        ),
        params![account, us(now)],
        super::read,
    )
}

/// When the next copy is to be looked after.
pub fn next_copy(tx: &Tx<'_>, account: i64) -> Result<Option<Timestamp>, StoreError> {
    tx.one(
        "SELECT copy_due FROM send WHERE account = ?1 AND copy IN ('open', 'failed') AND copy_due IS NOT NULL
         ORDER BY copy_due LIMIT 1",
        [account],
        |row| time(row, "copy_due"),
    )
}

/// The copy is where it belongs, or none is needed. The text goes: the logged message has it, or nobody.
pub fn end_copy(
    tx: &Tx<'_>,
    id: i64,
    copy: Copy,
    rule: CopyRule,
    folder: Option<&str>,
) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET copy = ?2, copy_rule = ?3, copy_folder = ?4, copy_due = NULL, copy_words = NULL, raw = NULL
         WHERE id = ?1 AND state = 'sent'",
        params![id, copy.name(), rule.name(), folder],
    )?;
    Ok(())
}

/// The copy is about to be put there. Where it is found later, it was.
pub fn choose_copy(tx: &Tx<'_>, id: i64, rule: CopyRule, folder: &str) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET copy_rule = ?2, copy_folder = ?3
         WHERE id = ?1 AND copy IN ('open', 'failed')",
        params![id, rule.name(), folder],
    )?;
    Ok(())
}

/// It could not be put there. The mail is sent all the same.
pub fn copy_failed(tx: &Tx<'_>, id: i64, words: &str, next: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "UPDATE send SET copy = 'failed', copy_words = ?2, copy_due = ?3, copy_tries = copy_tries + 1
         WHERE id = ?1 AND copy IN ('open', 'failed')",
        params![id, words, us(next)],
    )?;
    Ok(())
}

/// The person wants the copy tried again now. False where it has not failed.
pub fn retry_copy(tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed =
        tx.run("UPDATE send SET copy_due = ?2 WHERE id = ?1 AND copy = 'failed'", params![id, us(now)])?;
    Ok(changed > 0)
}
