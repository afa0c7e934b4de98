//! Keywords that the person sets on mail that was read before (PRODUCT B5). They are looked for soon after each connection and
//! every [`EVERY`]. A server that keeps no account of changes of flags (CONDSTORE) may go through whole folders for it: there
//! the first look waits longer, and a single reading does without.

use crate::broken::Broken;
use crate::generation::{Part, count_up};
use crate::mailbox::{Mailbox, Watched};
use std::collections::HashSet;
use std::time::Duration;
use threadline_core::decide::{KEYWORD_LOG, KEYWORD_NEVER};
use threadline_mail::session::Session;
use threadline_store::job::{self, Kind};
use threadline_store::message::{self, Outcome};
use threadline_store::place::{self, Place};
use threadline_store::{StoreError, Tx, hidden, retention};

/// Between two looks.
pub(crate) const EVERY: Duration = Duration::from_secs(10 * 60);

/// The first look after a connection was made, with and without CONDSTORE.
const SOON: Duration = Duration::from_secs(2);
const LATER: Duration = Duration::from_secs(60);

/// What one connection has seen of them.
#[derive(Debug, Default)]
pub(crate) struct Gestures {
    /// On the monotonic clock: when it is time to look.
    next: Option<Duration>,
    /// Each is followed once: what a rule forbids stays so.
    followed: HashSet<(Place, &'static str)>,
}

impl Gestures {
    /// For a single reading: the look is due where the server makes it cheap.
    pub fn due(session: &Session) -> Self {
        let next = if session.capabilities().has_condstore() { Duration::ZERO } else { Duration::MAX };
        Self { next: Some(next), ..Self::default() }
    }

    /// How long it is until the next look.
    pub fn wait(&self, now: Duration) -> Duration {
        self.next.map_or(EVERY, |next| next.saturating_sub(now))
    }

    /// Looks for them where it is time to, and follows those that are new.
    pub async fn look(
        &mut self,
        mailbox: &Mailbox,
        session: &mut Session,
        folders: &[Watched],
    ) -> Result<(), Broken> {
        let now = mailbox.shared.clock.monotonic();
        let first = now + if session.capabilities().has_condstore() { SOON } else { LATER };
        if now < *self.next.get_or_insert(first) {
            return Ok(());
        }
        self.next = Some(now + EVERY);
        for folder in folders {
            for keyword in [KEYWORD_NEVER, KEYWORD_LOG] {
                let (uidvalidity, uids) = session.with_keyword(&folder.on_server, keyword).await?;
                let place = |uid| Place { folder: folder.row.id, uidvalidity, uid };
                let news: Vec<Place> =
                    uids.into_iter().map(place).filter(|p| self.followed.insert((*p, keyword))).collect();
                if !news.is_empty() {
                    follow(mailbox, keyword, news).await?;
                }
            }
        }
        Ok(())
    }
}

async fn follow(mailbox: &Mailbox, keyword: &'static str, places: Vec<Place>) -> Result<(), StoreError> {
    let now = mailbox.shared.clock.now();
    let write = move |tx: &Tx<'_>| {
        for place in places {
            // What is not known yet comes up with its keywords.
            let Some(id) = place::message_at(tx, place)? else { continue };
            let Some(row) = message::get(tx, id)? else { continue };
            match (row.outcome, row.thread) {
                (Outcome::Log, Some(thread)) if keyword == KEYWORD_NEVER => {
                    let copies = hidden::group(tx, id)?;
                    let thread = message::of_thread(tx, thread)?;
                    for one in thread.iter().map(|row| row.id).chain(copies) {
                        retention::throw_away(tx, one, None, now)?;
                    }
                }
                (Outcome::Log, _) => {}
                _ => {
                    job::add(tx, Kind::Recheck, id, place, job::AT_ONCE)?;
                }
            }
        }
        count_up(tx, Part::News)
    };
    mailbox.shared.ledger.write(write).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use threadline_core::rule::{LogMode, Rule};

    #[tokio::test]
    async fn a_keyword_on_known_mail_is_followed() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        world.sends(1, "carl@customer.example");
        world.sees(2, "Message-ID: <2@x>\r\nFrom: ann@firm.example\r\nTo: bob@firm.example\r\n\r\n");
        let at = |uid| Place { folder: world.sent, uidvalidity: 1, uid };
        let ledger = &world.mailbox.shared.ledger;
        let rule = |uid| {
            let place = at(uid);
            let read = move |tx: &Tx<'_>| {
                let id = place::message_at(tx, place)?.unwrap();
                Ok(message::get(tx, id)?.unwrap().rule)
            };
            ledger.read_blocking(read).unwrap()
        };
        follow(&world.mailbox, KEYWORD_LOG, vec![at(1), at(2), at(99)]).await.unwrap();
        let rechecks: Vec<u32> =
            world.jobs().iter().filter(|j| j.kind == Kind::Recheck).map(|j| j.place.uid).collect();
        assert_eq!(rechecks, [2], "what is logged is logged");
        assert_eq!(rule(1), Rule::SentToOutsider);
        follow(&world.mailbox, KEYWORD_NEVER, vec![at(1)]).await.unwrap();
        assert_eq!(rule(1), Rule::TakenOut);
        let trash = ledger.read_blocking(|tx| retention::trash_page(tx, 10)).unwrap();
        assert_eq!(trash.len(), 1, "it can be restored");
    }
}
