//! `threadline proxy`

use crate::args::ProxyCommand;
use crate::{output, prompt};
use serde_json::json;
use std::process::ExitCode;
use threadline_engine::Engine;
use threadline_net::proxy::Proxy;
use zeroize::Zeroizing;

pub async fn run(engine: &Engine, command: ProxyCommand, json: bool) -> anyhow::Result<ExitCode> {
    let set = matches!(&command, ProxyCommand::Set { .. });
    if let ProxyCommand::Set { proxy } = command {
        engine.set_proxy(with_password(proxy, prompt::secret)?).await?;
    }
    let proxy = engine.proxy().await?.to_string();
    if json {
        output::json(&json!({ "proxy": proxy }))?;
    } else if set {
        output::say(&format!("{proxy}: set. Everything connects anew by this way where Threadline runs."));
    } else {
        output::say(&proxy);
    }
    Ok(ExitCode::SUCCESS)
}

/// The proxy with its password, where it wants one; that is asked for.
fn with_password(
    proxy: Proxy,
    ask: impl FnOnce(&str) -> anyhow::Result<Zeroizing<String>>,
) -> anyhow::Result<Proxy> {
    let Proxy::Through(server) = proxy else { return Ok(proxy) };
    let (server, given) = server.without_password();
    anyhow::ensure!(
        given.is_none(),
        "{server}: the password does not belong on the command line, which other users of this computer can read. Leave it \
         out; it is asked for."
    );
    Ok(Proxy::Through(match server.login() {
        Some((user, _)) => {
            let password = ask(&format!("Password of {user} at the proxy"))?;
            server.with_password(password)
        }
        None => server,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_asked_for_and_never_taken_from_the_command_line() {
        let set = |text: &str| {
            let mut asked = None;
            let proxy = with_password(text.parse().unwrap(), |what| {
                asked = Some(what.to_owned());
                Ok(Zeroizing::new("pw".to_owned()))
            });
            (proxy, asked)
        };
        let (proxy, asked) = set("http://ann@proxy.firm.example");
        let Proxy::Through(server) = proxy.unwrap() else { panic!() };
        assert_eq!(server.login(), Some(("ann", "pw")));
        assert!(asked.unwrap().contains("ann"));
        let (proxy, asked) = set("socks5://ann:geheim@proxy.firm.example:1080");
        let error = proxy.unwrap_err().to_string();
        assert!(
            error.contains("socks5://ann@proxy.firm.example:1080") && !error.contains("geheim"),
            "{error}"
        );
        assert!(asked.is_none());
        for text in ["none", "system", "http://proxy.firm.example"] {
            assert!(set(text).1.is_none(), "{text}");
        }
    }
}
