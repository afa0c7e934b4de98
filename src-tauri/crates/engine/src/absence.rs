//! The times in which this computer slept, or the engine did not run: nothing is known of them, and no outage counts them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use threadline_store::{StoreError, Tx, setting};

/// The settings that hold the moment at which the engine was last seen to run, and the absences.
const ALIVE: &str = "engine.alive";
const ABSENCES: &str = "engine.absences";
/// How often a running engine says so.
pub(crate) const BEAT: SignedDuration = SignedDuration::from_secs(60);
/// Less than this is no absence: a computer may be busy.
const SHORTEST: SignedDuration = SignedDuration::from_secs(90);
/// How long one is remembered, and how many.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 92);
const MOST: usize = 2_000;

/// A time of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Absence {
    from: Timestamp,
    to: Timestamp,
}

/// Notes that the engine runs, and what it missed since it last did.
pub(crate) fn beat(tx: &Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let before: Option<Timestamp> = setting::get(tx, ALIVE)?;
    setting::set(tx, ALIVE, &now)?;
    let Some(from) = before.filter(|from| now.duration_since(*from) > SHORTEST) else { return Ok(()) };
    let mut all = list(tx)?;
    all.retain(|one| now.duration_since(one.to) < KEPT);
    all.push(Absence { from, to: now });
    let surplus = all.len().saturating_sub(MOST);
    setting::set(tx, ABSENCES, &all.split_off(surplus))
}

/// The oldest first.
pub(crate) fn list(tx: &Tx<'_>) -> Result<Vec<Absence>, StoreError> {
    Ok(setting::get(tx, ABSENCES)?.unwrap_or_default())
}

/// How much of a time was absence, in seconds.
pub(crate) fn within(absences: &[Absence], since: Timestamp, until: Timestamp) -> i64 {
    let share = |one: &Absence| one.to.min(until).duration_since(one.from.max(since)).as_secs().max(0);
    absences.iter().map(share).sum()
}

/// A time without the absences in it, in seconds from 1970.
pub(crate) fn without(absences: &[Absence], since: Timestamp, until: Timestamp) -> Vec<(i64, i64)> {
    let mut rest = Vec::new();
    let mut begin = since;
    for one in absences.iter().filter(|one| one.to > since && one.from < until) {
        if one.from > begin {
            rest.push((begin.as_second(), one.from.as_second()));
        }
        begin = begin.max(one.to);
    }
    if begin < until {
        rest.push((begin.as_second(), until.as_second()));
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use threadline_core::rule::LogMode;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_absence_is_noted_where_the_engine_was_not_seen_for_long() {
        let world = World::new(LogMode::EveryoneOutside, &[]);
        let noted = world.mailbox.shared.ledger.write_blocking(|tx| {
            for second in [1_000, 1_060, 1_125, 9_000, 9_060, 8_000, 8_060] {
                beat(tx, at(second))?;
            }
            list(tx)
        });
        assert_eq!(noted.unwrap(), [Absence { from: at(1_125), to: at(9_000) }]);
    }

    #[test]
    fn an_absence_is_no_part_of_an_outage() {
        let all = [Absence { from: at(100), to: at(200) }, Absence { from: at(300), to: at(400) }];
        assert_eq!(within(&all, at(150), at(1_000)), 150);
        assert_eq!(within(&all, at(500), at(1_000)), 0);
        assert_eq!(without(&all, at(150), at(350)), [(200, 300)]);
        assert_eq!(without(&all, at(50), at(500)), [(50, 100), (200, 300), (400, 500)]);
        assert_eq!(without(&all, at(120), at(180)), []);
    }
}
