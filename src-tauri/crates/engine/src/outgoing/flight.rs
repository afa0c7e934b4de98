//! The mails that this process is giving to a server at this moment. What is begun goes to its end, whoever waits for it: a task that is
//! ended because something was set must leave no mail of which nobody knows what became.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The ids of the mails under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flights(Arc<Mutex<HashSet<i64>>>);

/// One mail under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    flights: Flights,
    id: i64,
}

impl Flights {
    pub(super) fn begin(&self, id: i64) -> Flight {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        Flight { flights: self.clone(), id }
    }

    pub(super) fn ids(&self) -> Vec<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_under_way_until_it_is_dropped() {
        let flights = Flights::default();
        let one = flights.begin(7);
        assert_eq!(flights.clone().ids(), [7]);
        drop(one);
        assert!(flights.ids().is_empty());
    }
}
