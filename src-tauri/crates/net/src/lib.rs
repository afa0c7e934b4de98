//! The way out of this computer: the proxy, a tunnel through it for mail, one HTTP client for all else, and one reading of
//! what goes wrong with that.

pub mod http;
pub mod proxy;
pub mod tunnel;
