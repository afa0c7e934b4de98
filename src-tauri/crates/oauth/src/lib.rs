//! Signing in with the browser: OAuth 2.0 for a program on a person's own computer (RFC 8252), by an authorization code
//! with PKCE (RFC 7636), and the access tokens that follow from it.
//!
//! Invariant: no token, code, verifier or client secret is in an error, a `Debug` or a log line.

mod answer;
mod error;
mod page;
pub mod provider;
mod redirect;
mod secret;
mod sign_in;
mod token;

pub use error::OauthError;
pub use provider::{App, Provider};
pub use secret::Hidden;
pub use sign_in::{PATIENCE, SignIn};
pub use token::{Endpoint, Grant};
