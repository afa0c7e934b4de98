//! Two rows that turn out to be one message: an id that both go by came to light.

use super::Outcome;
use crate::error::StoreError;
use crate::sql::named;
use crate::thread;
use crate::tx::Tx;
use std::cmp::Reverse;

struct Candidate {
    id: i64,
    outcome: Outcome,
    /// A CRM may have it: the row must stay, whatever it is a double of.
    pushed: bool,
}

/// The one message that these rows are. What is known of the others goes over to it, except where both were already
/// sent to a CRM: those stay two, since the CRM has two.
pub(super) fn one_of(tx: &Tx<'_>, rows: &[i64]) -> Result<Option<i64>, StoreError> {
    let [first, _, ..] = rows else {
        return Ok(rows.first().copied());
    };
    let mut candidates = Vec::new();
    for id in rows {
        candidates.extend(candidate(tx, *id)?);
    }
    candidates.sort_by_key(|c| Reverse((c.pushed, c.outcome, Reverse(c.id))));
    let stays = candidates.first().map_or(*first, |c| c.id);
    for other in candidates.iter().skip(1).filter(|c| !c.pushed) {
        absorb(tx, stays, other.id)?;
    }
    Ok(Some(stays))
}

fn candidate(tx: &Tx<'_>, id: i64) -> Result<Option<Candidate>, StoreError> {
    tx.one(
        "SELECT verdict, EXISTS (SELECT 1 FROM outbox o WHERE o.message = m.id AND (o.attempts > 0 OR o.state = 'done'))
           AS pushed FROM message m WHERE m.id = ?1",
        [id],
        |row| {
            Ok(Candidate {
                id,
                outcome: named(row, "verdict", Outcome::from_name)?,
                pushed: row.get("pushed")?,
            })
        },
    )
}

fn absorb(tx: &Tx<'_>, stays: i64, goes: i64) -> Result<(), StoreError> {
    let both = [stays, goes];
    // An id that only matched replies in the one identifies in the other: the stronger row is kept.
    tx.run(
        "DELETE FROM message_id WHERE message = ?1 AND identifies = 0
           AND hash IN (SELECT hash FROM message_id WHERE message = ?2 AND identifies = 1)",
        both,
    )?;
    for sql in [
        "UPDATE OR IGNORE message_id SET message = ?1 WHERE message = ?2",
        "UPDATE OR IGNORE reference SET message = ?1 WHERE message = ?2",
        "UPDATE place SET message = ?1 WHERE message = ?2",
        "UPDATE OR IGNORE hidden SET of = ?1 WHERE of = ?2",
        "UPDATE OR IGNORE about SET message = ?1 WHERE message = ?2",
        "UPDATE OR IGNORE about SET notice = ?1 WHERE notice = ?2",
        "UPDATE egress SET message = ?1 WHERE message = ?2",
        "UPDATE message SET body_at = coalesce(body_at, (SELECT body_at FROM message WHERE id = ?2)) WHERE id = ?1",
        "UPDATE message SET answer = coalesce(answer, (SELECT answer FROM message WHERE id = ?2)) WHERE id = ?1",
    ] {
        tx.run(sql, both)?;
    }
    let thread: Option<i64> =
        tx.one("SELECT thread FROM message WHERE id = ?1", [goes], |row| row.get(0))?.flatten();
    tx.run("DELETE FROM message WHERE id = ?1", [goes])?;
    match thread {
        Some(thread) => thread::refresh(tx, thread),
        None => Ok(()),
    }
}
