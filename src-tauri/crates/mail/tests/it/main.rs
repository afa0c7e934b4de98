//! Sessions with scripted and real servers.

mod discovery;
mod discovery_kit;
mod filing;
mod find;
mod hostile;
mod hostile_session;
mod session;
mod session_kit;
mod sign_in;
mod sign_in_lab;
mod submit;
mod transcripts;
mod watch;
mod watch_folders;
mod watch_lab;
