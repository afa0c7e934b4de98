//! AUTH (RFC 4954), inside TLS alone: PLAIN (RFC 4616) and LOGIN, which Outlook speaks.

use crate::answer::Answer;
use crate::limits::Limits;
use crate::password::Kept;
use crate::server::Login;
use crate::wire::{Line, Lost, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

/// Name and password, as they were typed.
struct Typed {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

/// Speaks AUTH to its end, without the last answer. Gives the login that was proven, `None` where a name or password is wrong,
/// or the answer to what is no sign-in.
pub(crate) async fn sign_in<'a, S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    words: &str,
    logins: &'a [Login],
    limits: &Limits,
) -> Result<Result<Option<&'a Login>, Answer>, Lost> {
    let mut words = words.split(' ').filter(|word| !word.is_empty());
    let (kind, first) = (words.next().unwrap_or_default(), words.next());
    if words.next().is_some() {
        return Ok(Err(Answer::new(501, "5.5.4 AUTH has too many words")));
    }
    let typed = match kind.to_ascii_uppercase().as_str() {
        "PLAIN" => match said(wire, first, "", limits).await? {
            Ok(text) => plain(&text),
            Err(answer) => return Ok(Err(answer)),
        },
        "LOGIN" => {
            // "Username:" and "Password:"
            let user = match said(wire, first, "VXNlcm5hbWU6", limits).await? {
                Ok(user) => user,
                Err(answer) => return Ok(Err(answer)),
            };
            match said(wire, None, "UGFzc3dvcmQ6", limits).await? {
                Ok(password) => Some(Typed { user, password }),
                Err(answer) => return Ok(Err(answer)),
            }
        }
        _ => return Ok(Err(Answer::new(504, "5.5.4 Sign in by PLAIN or LOGIN"))),
    };
    let Some(typed) = typed else {
        return Ok(Err(Answer::new(501, "5.5.2 The sign-in cannot be read")));
    };
    let kept = Kept::new(&typed.password);
    let name = typed.user.trim();
    // Each is compared, so that the time tells nothing of who is there.
    let mut proven = None;
    for login in logins {
        let right = login.password == kept;
        if right && login.user.eq_ignore_ascii_case(name) {
            proven = Some(login);
        }
    }
    Ok(Ok(proven))
}

/// The first answer, or the one to this challenge; decoded.
async fn said<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    first: Option<&str>,
    challenge: &str,
    limits: &Limits,
) -> Result<Result<Zeroizing<String>, Answer>, Lost> {
    let line;
    let text = match first {
        // RFC 4954 §4: an empty first answer.
        Some("=") => "",
        Some(first) => first,
        None => {
            wire.say(&Answer::new(334, challenge));
            match wire.line(limits.sign_in_line, limits.overlong).await? {
                Line::Whole(whole) => line = whole,
                Line::TooLong => return Ok(Err(Answer::new(500, "5.5.6 The line is too long"))),
                Line::Broken => return Err(Lost::TooMuch),
            }
            match std::str::from_utf8(&line) {
                Ok("*") => return Ok(Err(Answer::new(501, "5.7.0 The sign-in was taken back"))),
                Ok(text) => text,
                Err(_) => "!",
            }
        }
    };
    let unreadable = || Answer::new(501, "5.5.2 The sign-in is not in base64");
    let Ok(bytes) = STANDARD.decode(text).map(Zeroizing::new) else { return Ok(Err(unreadable())) };
    Ok(std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| unreadable()))
}

/// For whom, who, and the password, divided by NUL. Nobody signs in for somebody else.
fn plain(text: &str) -> Option<Typed> {
    let mut parts = text.split('\0');
    let (acting, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !(acting.is_empty() || acting.eq_ignore_ascii_case(user)) {
        return None;
    }
    Some(Typed { user: Zeroizing::new(user.to_owned()), password: Zeroizing::new(password.to_owned()) })
}
