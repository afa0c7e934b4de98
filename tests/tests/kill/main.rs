//! The program is killed at every instant that matters, and nothing may be lost or doubled.

mod mail;
mod marks;
mod relay;
mod sends;
