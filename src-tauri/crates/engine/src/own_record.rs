//! Mail that a CRM logs by itself, because it was sent to an address of the CRM's own (PRODUCT R7): its record is found and
//! linked, and never made a second time.

use crate::crms;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use threadline_core::address::Address;
use threadline_crm::Awaited;
use threadline_store::outbox::{self, LOGGERS};
use threadline_store::{StoreError, Tx, message, setting};

/// How long a record is waited for. Then the person is asked.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// The setting with the addresses of each CRM.
const ADDRESSES: &str = "crm_addresses";

/// A mail whose record the CRM did not make in time.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MissingRecord {
    /// What the answer names.
    pub outbox: i64,
    pub sink: String,
    pub message: i64,
    pub subject: Option<String>,
    pub since: Timestamp,
}

threadline_core::debug_only!(MissingRecord { outbox, sink, message, since });

/// What the person says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum MissingAnswer {
    /// Threadline pushes it; it is looked up once more before.
    Push,
    /// It stays as it is: logged here, and not in the CRM.
    Leave,
}

/// Whether the record of something queued then may come yet.
pub(crate) fn awaited(queued_at: Timestamp, now: Timestamp) -> Awaited {
    match now.duration_since(queued_at) >= PATIENCE {
        true => Awaited::TooLong,
        false => Awaited::Still,
    }
}

/// Those of these addresses at which a CRM that is set logs by itself.
pub(crate) fn of_crms(tx: &Tx<'_>, addresses: &[Address]) -> Result<Vec<Address>, StoreError> {
    let own = read(tx)?;
    let sinks = crms::sinks(tx)?;
    let named = |sink: &String| own.get(sink).is_some_and(|of| !of.is_empty());
    if !addresses.iter().any(is_hubspots) && !sinks.iter().any(named) {
        return Ok(Vec::new());
    }
    let logs = |address: &&Address| {
        sinks.iter().filter(|sink| LOGGERS.contains(&sink.as_str())).any(|sink| {
            own.get(sink).is_some_and(|of| of.contains(address))
                || (sink == "hubspot" && is_hubspots(address))
        })
    };
    Ok(addresses.iter().filter(logs).cloned().collect())
}

/// Where HubSpot's portals get what they log: `<portal>@bcc.hubspot.com`, or `bcc.<region>.hubspot.com`.
fn is_hubspots(address: &Address) -> bool {
    let domain = address.domain();
    domain.starts_with("bcc.") && domain.ends_with(".hubspot.com")
}

fn read(tx: &Tx<'_>) -> Result<BTreeMap<String, Vec<Address>>, StoreError> {
    Ok(setting::get(tx, ADDRESSES)?.unwrap_or_default())
}

impl Engine {
    /// The addresses at which a CRM logs by itself, as they are set. HubSpot's own (`bcc.hubspot.com`) need not be.
    pub async fn crm_addresses(&self, kind: &str) -> Result<Vec<Address>, EngineError> {
        let kind = kind.to_owned();
        Ok(self.ledger().read(move |tx| Ok(read(tx)?.remove(&kind).unwrap_or_default())).await?)
    }

    /// Sets them. Fails for a CRM that cannot be asked for what it logged.
    pub async fn set_crm_addresses(
        &self,
        kind: &str,
        mut addresses: Vec<Address>,
    ) -> Result<Vec<Address>, EngineError> {
        if !LOGGERS.contains(&kind) {
            return Err(EngineError::CrmSetting(format!(
                "{kind} cannot be asked for the record of a mail that it logged by itself; an address of its own is set for \
                 {} alone",
                LOGGERS.join(", ")
            )));
        }
        addresses.sort();
        addresses.dedup();
        let (kind, set) = (kind.to_owned(), addresses.clone());
        let write = move |tx: &Tx<'_>| {
            let mut all = read(tx)?;
            all.insert(kind, set);
            setting::set(tx, ADDRESSES, &all)
        };
        self.ledger().write(write).await?;
        Ok(addresses)
    }

    /// Mails that a CRM should have logged by itself and did not within [`PATIENCE`].
    pub async fn missing_records(&self) -> Result<Vec<MissingRecord>, EngineError> {
        let read = |tx: &Tx<'_>| {
            let mut lines = Vec::new();
            for entry in outbox::missing(tx)? {
                let headers = message::get(tx, entry.message)?.and_then(|row| row.headers);
                lines.push(MissingRecord {
                    outbox: entry.id,
                    sink: entry.sink,
                    message: entry.message,
                    subject: headers.map(|headers| headers.subject),
                    since: entry.queued_at,
                });
            }
            Ok(lines)
        };
        Ok(self.ledger().read(read).await?)
    }

    /// What becomes of one of them.
    pub async fn answer_missing(&self, id: i64, answer: MissingAnswer) -> Result<(), EngineError> {
        let now = self.clock().now();
        let write = move |tx: &Tx<'_>| {
            let done = match answer {
                MissingAnswer::Push => outbox::push_after_all(tx, id)?,
                MissingAnswer::Leave => outbox::leave(tx, id, now)?,
            };
            if done {
                count_up(tx, Part::News)?;
            }
            Ok(done)
        };
        match self.ledger().write(write).await? {
            true => {
                self.shared().ring();
                Ok(())
            }
            false => Err(StoreError::NotFound { what: "mail that waits for an answer", id }.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::CrmSettings;
    use crate::testing::World;
    use std::sync::Arc;
    use threadline_core::rule::{LogMode, Rule};
    use threadline_secrets::Memory;
    use threadline_store::job;
    use threadline_store::outbox::Way;
    use threadline_testkit::clock::HandClock;

    #[test]
    fn the_wait_is_half_an_hour() {
        let then = Timestamp::UNIX_EPOCH;
        assert_eq!(awaited(then, then + SignedDuration::from_mins(29)), Awaited::Still);
        assert_eq!(awaited(then, then + PATIENCE), Awaited::TooLong);
    }

    #[test]
    fn hubspots_own_addresses_are_known() {
        for (address, own) in [
            ("123@bcc.hubspot.com", true),
            ("123@bcc.eu1.hubspot.com", true),
            ("123@hubspot.com", false),
            ("123@bcc.hubspot.com.evil.example", false),
        ] {
            assert_eq!(is_hubspots(&Address::parse(address).unwrap()), own, "{address}");
        }
    }

    /// A mail to Carl that names the CRM's address in Bcc: by what it is logged, and how each CRM comes to have it.
    #[tokio::test]
    async fn what_goes_to_the_crms_own_address_is_looked_for_there_and_pushed_elsewhere() {
        let crms = [
            CrmSettings::Hubspot { base_url: None },
            CrmSettings::Webhook { url: "https://x.example/".into() },
        ];
        let world = World::new(LogMode::EveryoneOutside, &crms);
        let ledger = &world.mailbox.shared.ledger;
        let own = Address::parse("log@crm.example").unwrap();
        let set = BTreeMap::from([("hubspot".to_owned(), vec![own])]);
        ledger.write_blocking(move |tx| setting::set(tx, ADDRESSES, &set)).unwrap();
        for (uid, bcc) in [(1, "Log@crm.example"), (2, "7@bcc.hubspot.com"), (3, "else@crm.example")] {
            let header = "From: ann@firm.example\r\nTo: carl@customer.example\r\n";
            world.sees(uid, &format!("Message-ID: <{uid}@x>\r\n{header}Bcc: {bcc}\r\n\r\n"));
        }
        let mut told = Vec::new();
        // A contact list that is not read to the end holds back what is not the CRM's own.
        for job in world.jobs() {
            let read = move |tx: &Tx<'_>| {
                let sinks = ["hubspot", "webhook"];
                job::finish_body(tx, job.id, b"Subject: x\r\n\r\nx", false, &sinks, Timestamp::UNIX_EPOCH)?;
                let ways: Vec<Way> = outbox::of_message(tx, job.message)?.iter().map(|e| e.way).collect();
                Ok((message::get(tx, job.message)?.unwrap().rule, ways))
            };
            told.push(ledger.write_blocking(read).unwrap());
        }
        let want = (Rule::CrmAddress, vec![Way::Find, Way::Push]);
        assert_eq!(told, [want.clone(), want]);
    }

    #[tokio::test]
    async fn an_address_is_set_only_where_the_crm_can_be_asked() {
        let dir = tempfile::tempdir().unwrap();
        let home = crate::home::Home::open(&dir.path().join("data")).unwrap();
        let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
        let (engine, _) = Engine::open(home, Arc::new(Memory::new()), clock, None).unwrap();
        let own = vec![Address::parse("log@crm.example").unwrap()];
        assert!(engine.set_crm_addresses("webhook", own.clone()).await.is_err());
        engine.set_crm_addresses("hubspot", own.clone()).await.unwrap();
        assert_eq!(engine.crm_addresses("hubspot").await.unwrap(), own);
        assert!(engine.answer_missing(1, MissingAnswer::Push).await.is_err());
    }
}
