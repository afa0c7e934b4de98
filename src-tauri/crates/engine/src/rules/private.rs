//! "Private until": what is sent then is never logged.

use super::edit_rules;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::generation::{Part, count_up};
use jiff::Timestamp;
use threadline_core::rule::{PrivateTime, Rules};
use threadline_store::{Tx, account};

/// Most times that are kept of a mailbox: older ones matter only where its history is read.
const MOST: usize = 500;

impl Engine {
    /// From now on until this time nothing is logged that is sent from any mailbox; `None` ends it now. What was sent
    /// meanwhile stays unlogged.
    pub async fn set_private(&self, until: Option<Timestamp>) -> Result<(), EngineError> {
        let now = self.clock().now();
        let write = move |tx: &Tx<'_>| {
            for account in account::list(tx)? {
                edit_rules(tx, account.id, |rules| set(rules, now, until))?;
            }
            count_up(tx, Part::News)
        };
        Ok(self.ledger().write(write).await?)
    }
}

/// Servers count whole seconds: the one that has begun belongs to the private time at both ends.
fn set(rules: &mut Rules, now: Timestamp, until: Option<Timestamp>) {
    let second = |more: i64| Timestamp::from_second(now.as_second() + more).unwrap_or(now);
    let times = &mut rules.private_times;
    let (mut from, mut under_way) = (second(0), false);
    // What is under way ends now, or goes on in the new one.
    while let Some(last) = times.pop_if(|t| t.until > now) {
        from = from.min(last.from);
        under_way = true;
    }
    let until = until.unwrap_or(if under_way { second(1) } else { second(0) });
    if from < until {
        times.push(PrivateTime { from, until });
    }
    if times.len() > MOST {
        times.drain(..times.len() - MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_time_is_lengthened_cut_and_ended() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let mut rules = Rules::default();
        let times = |rules: &Rules| {
            let times = rules.private_times.iter();
            times.map(|t| (t.from.as_second(), t.until.as_second())).collect::<Vec<_>>()
        };
        set(&mut rules, at(10), None);
        assert_eq!(times(&rules), []);
        set(&mut rules, at(10), Some(at(100)));
        set(&mut rules, at(20), Some(at(200)));
        assert_eq!(times(&rules), [(10, 200)]);
        set(&mut rules, at(30), None);
        assert_eq!(times(&rules), [(10, 31)]);
        set(&mut rules, at(50), Some(at(60)));
        set(&mut rules, at(70), None);
        assert_eq!(times(&rules), [(10, 31), (50, 60)]);
        assert!(rules.is_private(at(30)) && !rules.is_private(at(31)) && rules.is_private(at(50)));
    }
}
