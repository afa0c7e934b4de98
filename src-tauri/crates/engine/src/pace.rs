//! When a mailbox connects again after a failure.

use crate::backoff;
use crate::broken::Broken;
use std::time::Duration;
use threadline_core::reason::{Again, Blame, Phase, Reason};

/// How often a secret is shown in a row to a server that refuses it, whatever it names as the cause: after a few more, servers
/// lock accounts.
const SHOWN: u32 = 2;
/// How long a secret rests that may be wrong.
const LONG_REST: Duration = Duration::from_secs(3 * 60 * 60);
/// How long one rests of which the server says that something else is the matter.
const SHORT_REST: Duration = Duration::from_secs(15 * 60);
/// The most that is added after a turn of the network, so that not all mailboxes come back at once.
const SCATTER: Duration = Duration::from_secs(2);

/// The rest before the next attempt: first the firm part, then the loose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Kept whatever happens: the server asks for it, or the account might be locked.
    pub firm: Duration,
    /// Our own caution: another network or a wake ends it.
    pub loose: Duration,
}

impl Rest {
    pub fn whole(self) -> Duration {
        self.firm.saturating_add(self.loose)
    }
}

/// The failures so far.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    failures: u32,
    /// Refusals at the sign-in in a row for which the secret may be to blame.
    refusals: u32,
    /// What is tried again once only was tried again.
    once_more: bool,
}

impl Pace {
    /// What counts is what comes from now on: a connection was of use, or there is another network.
    pub fn anew(&mut self) {
        self.failures = 0;
    }

    pub fn is_first(&self) -> bool {
        self.failures == 1
    }

    pub fn failed(&mut self, broken: &Broken) {
        self.failures = self.failures.saturating_add(1);
        match (broken.blame(), broken.why().1) {
            (Blame::Perhaps | Blame::Likely, _) => self.refusals = self.refusals.saturating_add(1),
            // The sign-in succeeded.
            (Blame::No, Some(Phase::Select | Phase::Idle | Phase::Fetch | Phase::Append | Phase::Send)) => {
                (self.refusals, self.once_more) = (0, false);
            }
            (Blame::No, _) => {}
        }
    }

    /// The rest after the failure that was noted last; `None` where only a person ends it.
    pub fn rest(&mut self, broken: &Broken, jitter: f64) -> Option<Rest> {
        let (own, firm) = match broken.again() {
            Again::Soon => (backoff::wait(self.failures, jitter), broken.pause()),
            Again::Seldom => (backoff::wait(u32::MAX, jitter), broken.pause()),
            Again::Never => {
                let rest = once_more(broken).filter(|_| !std::mem::replace(&mut self.once_more, true))?;
                (backoff::wait(1, jitter), rest)
            }
        };
        let shown_enough = self.refusals >= SHOWN;
        let (own, firm) = match broken.blame() {
            Blame::Likely if shown_enough => (own, firm.max(LONG_REST)),
            Blame::Likely => (own, firm.max(own)),
            // Another network may be what the server wants.
            Blame::Perhaps if shown_enough && broken.is_of_place() => (own.max(SHORT_REST), firm),
            Blame::Perhaps if shown_enough => (own, firm.max(SHORT_REST)),
            Blame::Perhaps | Blame::No => (own, firm),
        };
        Some(Rest { firm, loose: own.saturating_sub(firm) })
    }

    /// How long to wait after a turn of the network.
    pub fn scatter(jitter: f64) -> Duration {
        SCATTER.mul_f64(jitter.clamp(0.0, 1.0))
    }
}

/// How long a failure rests that is tried again by itself once and never more: a lock whose end is named, and a refusal that
/// names no cause, of a secret that worked.
fn once_more(broken: &Broken) -> Option<Duration> {
    let Broken::Mail(error) = broken else { return None };
    match error.reason {
        Reason::AccountLocked => error.pause(),
        Reason::AuthRejected if error.evidence.worked_before => {
            Some(error.pause().unwrap_or_default().max(LONG_REST))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::{Evidence, ImapStatus, Signal};
    use threadline_mail::error::MailError;

    fn no(code: Option<&str>, words: &str) -> Broken {
        let signal = Signal::Imap { status: ImapStatus::No, code: code.map(str::to_owned) };
        MailError::new("imap.firm.example:993", Evidence::new(Phase::Auth, signal, words)).into()
    }

    fn after(pace: &mut Pace, broken: &Broken) -> Option<Rest> {
        pace.failed(broken);
        pace.rest(broken, 0.5)
    }

    /// How often the same secret is shown within a day to a server that answers so, with a turn of the network each minute.
    fn shown_in_a_day(broken: &Broken) -> u32 {
        let (mut pace, mut now, mut shown) = (Pace::default(), Duration::ZERO, 0);
        while now < Duration::from_secs(24 * 60 * 60) {
            shown += 1;
            let Some(rest) = after(&mut pace, broken) else { break };
            now += rest.firm + rest.loose.min(Duration::from_secs(60));
            pace.anew();
        }
        shown
    }

    #[test]
    fn a_refused_secret_is_shown_a_few_times_a_day_at_most_whatever_the_server_says() {
        for (code, words) in [
            (Some("AUTHENTICATIONFAILED"), "Incorrect password. Please login again."),
            (Some("AUTHENTICATIONFAILED"), "Incorrect password, please try again later"),
            (Some("AUTHENTICATIONFAILED"), "Too many simultaneous connections."),
            (Some("AUTHENTICATIONFAILED"), "Login failed. Visit our website"),
            (Some("AUTHENTICATIONFAILED"), "IMAP is disabled for your account"),
            (None, "Password does not match. Connection limit for this user is 10."),
            (None, "Password incorrect; login from host pc7.firm.example denied"),
            (None, "Login refused: wrong password. This connection will be closed."),
        ] {
            let broken = no(code, words);
            assert!(shown_in_a_day(&broken) <= 10, "{words}: {} {}", broken.why().0, shown_in_a_day(&broken));
        }
        for words in
            ["Login temporarily blocked", "server busy, try again later", "IMAP is off", "nothing known"]
        {
            assert!(shown_in_a_day(&no(None, words)) <= 98, "{words}");
        }
    }

    #[test]
    fn a_server_that_names_its_own_trouble_is_tried_again_soon() {
        let broken = no(Some("UNAVAILABLE"), "Temporary authentication failure");
        let mut pace = Pace::default();
        for _ in 0..4 {
            assert!(after(&mut pace, &broken).unwrap().whole() < Duration::from_secs(10));
        }
    }

    #[test]
    fn a_sign_in_that_succeeds_ends_the_count() {
        let (mut pace, refused) = (Pace::default(), no(None, "server busy"));
        after(&mut pace, &refused);
        let signal = Signal::Imap { status: ImapStatus::Bye, code: None };
        let bye = MailError::new("imap.firm.example:993", Evidence::new(Phase::Idle, signal, "bye")).into();
        after(&mut pace, &bye);
        assert_eq!(after(&mut pace, &refused).unwrap().firm, Duration::ZERO);
        assert_eq!(after(&mut pace, &refused).unwrap().firm, SHORT_REST);
    }

    #[test]
    fn what_the_server_asks_for_is_firm_and_the_rest_is_loose() {
        let broken = no(Some("THROTTLED"), "wait 60 seconds");
        let mut pace = Pace::default();
        let minute = Duration::from_secs(60);
        assert_eq!(after(&mut pace, &broken), Some(Rest { firm: minute, loose: Duration::ZERO }));
        for _ in 0..6 {
            after(&mut pace, &broken);
        }
        assert_eq!(after(&mut pace, &broken), Some(Rest { firm: minute, loose: Duration::from_secs(68) }));
    }

    #[test]
    fn another_network_is_tried_at_once_where_the_place_is_refused() {
        let broken = no(None, "Your IP address is blocked");
        let mut pace = Pace::default();
        for _ in 0..4 {
            assert_eq!(after(&mut pace, &broken).unwrap().firm, Duration::ZERO);
        }
    }

    #[test]
    fn a_lock_whose_end_is_named_is_tried_once_after_it() {
        let broken = no(None, "Your account is locked for 15 minutes");
        assert_eq!(broken.why().0, Reason::AccountLocked);
        let mut pace = Pace::default();
        assert_eq!(after(&mut pace, &broken).unwrap().firm, Duration::from_secs(900));
        assert_eq!(after(&mut pace, &broken), None);
        assert_eq!(after(&mut Pace::default(), &no(None, "Your account is locked")), None);
    }

    #[test]
    fn a_refusal_without_a_cause_is_tried_once_after_hours_where_the_secret_worked() {
        let Broken::Mail(error) = no(None, "LOGIN failed") else { panic!() };
        let evidence = Evidence { worked_before: true, ..error.evidence.clone() };
        let worked: Broken = MailError::new(&error.server, evidence).into();
        let mut pace = Pace::default();
        assert_eq!(after(&mut pace, &worked).unwrap().firm, LONG_REST);
        assert_eq!(after(&mut pace, &worked), None);
        assert_eq!(after(&mut Pace::default(), &Broken::Mail(error)), None);
    }
}
