//! Headers that could not be read, read once more because the person asked for it.

use super::refused;
use crate::broken::Broken;
use crate::event::Event;
use crate::ingest;
use crate::mailbox::{Mailbox, Watched};
use threadline_core::reason::Reason;
use threadline_mail::error::{MailError, blames_message};
use threadline_mail::session::{Place, Session};
use threadline_store::set_aside::{self, SetAside};
use threadline_store::{StoreError, Tx};

/// Reads each once; gives their number. What cannot be read again goes back to where it was.
pub(super) async fn run(
    mailbox: &Mailbox,
    session: &mut Session,
    folders: &[Watched],
) -> Result<usize, Broken> {
    let mut done = 0;
    loop {
        let (account, ids) = (mailbox.id, folders.iter().map(|f| f.row.id).collect::<Vec<_>>());
        let next = move |tx: &Tx<'_>| set_aside::next_again(tx, account, &ids);
        let Some(aside) = mailbox.shared.ledger.read(next).await? else { return Ok(done) };
        let Some(folder) = folders.iter().find(|f| f.row.id == aside.place.folder) else { return Ok(done) };
        let place = Place { uidvalidity: aside.place.uidvalidity, uid: aside.place.uid };
        match session.fetch_header(&folder.on_server, place).await {
            Ok(arrival) => take(mailbox, folder, aside, arrival).await?,
            Err(error) => {
                if refused(&error) || blames_message(&error) {
                    put_back(mailbox, aside, &error).await?;
                }
                if !refused(&error) {
                    return Err(error.into());
                }
            }
        }
        done += 1;
    }
}

/// It is a message like any other now; or it is no more.
async fn take(
    mailbox: &Mailbox,
    folder: &Watched,
    aside: SetAside,
    arrival: Option<threadline_core::arrival::Arrival>,
) -> Result<(), StoreError> {
    let (of, row, now) = (mailbox.for_ingest(), folder.row.clone(), mailbox.shared.clock.now());
    let store = move |tx: &Tx<'_>| {
        set_aside::remove(tx, aside.id)?;
        match arrival {
            Some(arrival) => ingest::store_one(tx, &of, &row, aside.place.uidvalidity, &arrival, now),
            None => Ok(Vec::new()),
        }
    };
    let events: Vec<Event> = mailbox.shared.ledger.write(store).await?;
    mailbox.shared.tell_all(events);
    Ok(())
}

async fn put_back(mailbox: &Mailbox, aside: SetAside, error: &MailError) -> Result<(), StoreError> {
    let (reason, now): (Reason, _) = (error.reason, mailbox.shared.clock.now());
    let write = move |tx: &Tx<'_>| set_aside::add(tx, aside.place, &aside.what, Some(reason), now);
    mailbox.shared.ledger.write(write).await
}
