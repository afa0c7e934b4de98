//! Why a mailbox's connections ended, and what follows from it.

use crate::error::EngineError;
use std::time::Duration;
use threadline_core::reason::{Again, Blame, Phase, Reason};
use threadline_mail::error::MailError;
use threadline_secrets::SecretError;
use threadline_store::StoreError;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Other(#[from] EngineError),
    /// Not a failure: the connections are made anew in another way.
    #[error("the server refused NOTIFY")]
    NotifyRefused,
    /// Not a failure either: there are other folders to watch.
    #[error("the folders to watch are others")]
    OtherFolders,
}

impl Broken {
    pub fn again(&self) -> Again {
        match self {
            Broken::Mail(error) => error.reason.again(),
            Broken::Other(_) => Again::Seldom,
            // A keychain is unlocked, a disk has room again.
            Broken::Store(_) | Broken::Secret(_) | Broken::NotifyRefused | Broken::OtherFolders => {
                Again::Soon
            }
        }
    }

    /// How long the server asks to be left alone.
    pub fn pause(&self) -> Duration {
        match self {
            Broken::Mail(error) => error.pause().unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }

    /// Whether the secret that was shown may be why.
    pub fn blame(&self) -> Blame {
        match self {
            Broken::Mail(error) => error.evidence.blame(),
            _ => Blame::No,
        }
    }

    /// Whether the server refuses the network or country: another one may be let in.
    pub fn is_of_place(&self) -> bool {
        matches!(self.why().0, Reason::IpBanned | Reason::GeoOrIpBlocked)
    }

    /// Whether a person must act, before or beside the next attempt.
    pub fn needs_person(&self) -> bool {
        match self {
            Broken::Mail(error) => !error.is_transient(),
            Broken::Store(_) | Broken::NotifyRefused | Broken::OtherFolders => false,
            Broken::Secret(_) | Broken::Other(_) => true,
        }
    }

    /// The failure for whoever asked for the work; `None` where it is none.
    pub fn into_error(self) -> Option<EngineError> {
        match self {
            Broken::Mail(error) => Some(error.into()),
            Broken::Store(error) => Some(error.into()),
            Broken::Secret(error) => Some(error.into()),
            Broken::Other(error) => Some(error),
            Broken::NotifyRefused | Broken::OtherFolders => None,
        }
    }

    /// The reason, the step that failed, and the words.
    pub fn why(&self) -> (Reason, Option<Phase>, String) {
        match self {
            Broken::Mail(error) => (error.reason, Some(error.phase), error.evidence.words.clone()),
            Broken::Store(error) => (Reason::LedgerFailed, None, error.to_string()),
            Broken::Secret(error) => (error.code(), Some(Phase::Keychain), error.to_string()),
            Broken::Other(error) => (Reason::SettingUnusable, None, error.to_string()),
            Broken::NotifyRefused | Broken::OtherFolders => (Reason::ProtocolState, None, String::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use threadline_core::reason::{Evidence, ImapStatus, Signal, TlsFault};

    fn mail(phase: Phase, signal: Signal) -> Broken {
        MailError::new("imap.firm.example", Evidence::new(phase, signal, "")).into()
    }

    fn no(code: Option<&str>) -> Signal {
        Signal::Imap { status: ImapStatus::No, code: code.map(str::to_owned) }
    }

    #[test]
    fn a_refused_password_is_not_tried_again() {
        for code in [None, Some("AUTHENTICATIONFAILED"), Some("EXPIRED")] {
            assert_eq!(mail(Phase::Auth, no(code)).again(), Again::Never, "{code:?}");
        }
        assert_eq!(mail(Phase::Auth, no(Some("UNAVAILABLE"))).again(), Again::Soon);
    }

    #[test]
    fn what_another_network_or_the_server_can_mend_is_tried_again() {
        let seldom = [
            mail(Phase::Tls, Signal::Tls(TlsFault::UnknownIssuer)),
            mail(Phase::Tls, Signal::NoStartTls),
            mail(Phase::Select, no(Some("OVERQUOTA"))),
            mail(Phase::Select, Signal::FolderMissing),
            mail(Phase::Keychain, Signal::KeychainMissing),
        ];
        for broken in seldom {
            assert!(broken.needs_person(), "{broken}");
            assert_eq!(broken.again(), Again::Seldom, "{broken}");
        }
        assert_eq!(mail(Phase::Tcp, Signal::Refused).again(), Again::Soon);
        assert!(!mail(Phase::Tcp, Signal::Refused).needs_person());
    }

    #[test]
    fn the_server_is_left_alone_for_as_long_as_it_asks() {
        let asked = "Request is throttled. Suggested Backoff Time: 89117 milliseconds";
        let signal = Signal::Imap { status: ImapStatus::Bad, code: None };
        let throttled: Broken =
            MailError::new("outlook.office365.com:993", Evidence::new(Phase::Select, signal, asked)).into();
        assert_eq!((throttled.why().0, throttled.again()), (Reason::Throttled, Again::Soon));
        assert_eq!(throttled.pause(), Duration::from_millis(89_117));
        assert_eq!(mail(Phase::Tcp, Signal::Refused).pause(), Duration::ZERO);
    }
}
