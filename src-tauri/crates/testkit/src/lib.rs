//! What tests stand on: scripted servers, real servers in a lab, a CRM that is not one, a clock to turn by hand.

pub mod certs;
pub mod clock;
pub mod hubspot;
pub mod lab;
pub mod names;
pub mod pages;
pub mod script;
pub mod webhook;
