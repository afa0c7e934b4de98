//! A server that signs somebody in and then hangs up, again and again.

use crate::broken::Broken;
use std::time::Duration;
use threadline_core::reason::{ImapStatus, Phase, Reason, Signal};
use threadline_mail::error::MailError;

/// How often in a row it must happen before it is called so.
const TIMES: u32 = 5;
/// A connection that lived longer was of use.
const SOON: Duration = Duration::from_secs(60);

/// Connections that ended soon after the sign-in, in a row.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    times: u32,
}

impl Revoked {
    /// Notes how a connection ended that lived so long, and names the reason that only several of them show.
    pub fn ended(&mut self, broken: Broken, lived: Duration) -> Broken {
        match broken {
            Broken::Mail(error) if hung_up(&error) && lived < SOON => {
                self.times += 1;
                let reason = if self.times < TIMES { error.reason } else { Reason::ConnectionRevoked };
                Broken::Mail(MailError { reason, ..error })
            }
            broken => {
                self.times = 0;
                broken
            }
        }
    }
}

/// After the sign-in, and without a cause of its own.
fn hung_up(error: &MailError) -> bool {
    let said_bye = matches!(error.evidence.signal, Signal::Imap { status: ImapStatus::Bye, .. });
    matches!(error.phase, Phase::Select | Phase::Idle | Phase::Fetch)
        && match error.reason {
            Reason::ServerClosedConnection | Reason::SessionExpired => true,
            // "Server shutting down", which Dovecot says to whoever is thrown out too.
            Reason::ServerUnavailable => said_bye,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::Evidence;

    fn broken(phase: Phase, signal: Signal) -> Broken {
        MailError::new("imap.firm.example:993", Evidence::new(phase, signal, "Bye")).into()
    }

    fn bye(phase: Phase) -> Broken {
        broken(phase, Signal::Imap { status: ImapStatus::Bye, code: None })
    }

    #[test]
    fn hanging_up_after_each_sign_in_is_a_reason_of_its_own() {
        let mut revoked = Revoked::default();
        let second = Duration::from_secs(1);
        let mut reasons = (0..TIMES).map(|_| revoked.ended(bye(Phase::Select), second).why().0);
        assert!(reasons.by_ref().take(TIMES as usize - 1).all(|r| r == Reason::ServerClosedConnection));
        assert_eq!(reasons.next(), Some(Reason::ConnectionRevoked));
        let told = revoked.ended(bye(Phase::Idle), second);
        assert!(told.needs_person());
        assert_eq!(told.why().2, "Bye");
    }

    #[test]
    fn a_server_that_says_each_time_that_it_shuts_down_is_no_other() {
        let signal = || Signal::Imap { status: ImapStatus::Bye, code: None };
        let bye = || -> Broken {
            let evidence = Evidence::new(Phase::Idle, signal(), "Server shutting down.");
            MailError::new("imap.firm.example:993", evidence).into()
        };
        assert_eq!(bye().why().0, Reason::ServerUnavailable);
        let mut revoked = Revoked { times: TIMES - 1 };
        assert_eq!(revoked.ended(bye(), Duration::ZERO).why().0, Reason::ConnectionRevoked);
    }

    #[test]
    fn what_lasts_or_has_another_cause_begins_anew() {
        for other in [
            (bye(Phase::Idle), SOON),
            (bye(Phase::Greeting), Duration::ZERO),
            (broken(Phase::Tcp, Signal::Refused), Duration::ZERO),
            (Broken::OtherFolders, Duration::ZERO),
        ] {
            let mut revoked = Revoked { times: TIMES - 1 };
            revoked.ended(other.0, other.1);
            assert_eq!(
                revoked.ended(bye(Phase::Select), Duration::ZERO).why().0,
                Reason::ServerClosedConnection
            );
        }
    }
}
